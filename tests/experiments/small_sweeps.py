"""Sweeps small enough for tests: MLPs on the embedded digits, with real `bin/sweep` and `bin/train` processes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rethink_keras.reports import report
from tests.training.small_runs import SMALL

ROOT = Path(__file__).parents[2]
GIN = """
sweep.title = 'MLPs on digits'
sweep.groups = [@mlp/group()]
mlp/group.network = 'mlp'
mlp/group.base = {base}
mlp/group.axes = [{{'': [], 'random_labels': ["randomization.labels = 'random'"]}}]
{more}
"""


def write_gin(folder: Path, *more: str, bindings: tuple[str, ...] = ()) -> Path:
    """A gin file of a sweep of two runs; `more` are lines of it, `bindings` of both runs."""
    path = folder / "sweep.gin"
    path.write_text(GIN.format(base=[*SMALL, *bindings], more="\n".join(more)))
    return path


def start_sweep(gin_file: Path, folder: Path, *params: str, cwd: Path | None = None) -> subprocess.Popen:
    """A `bin/sweep` process with piped output, in the present folder or another."""
    command = [sys.executable, str(ROOT / "bin" / "sweep"), f"--gin_file={gin_file}", f"--workdir={folder}"]
    command += [f"--gin_param={param}" for param in params]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=cwd)


def sweep(gin_file: Path, folder: Path, *params: str, cwd: Path | None = None) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a sweep."""
    process = start_sweep(gin_file, folder, *params, cwd=cwd)
    out, err = process.communicate()
    return process.returncode, out, err


def wait_for_rows(workdir: Path, rows: int) -> None:
    """Waits until a run has finished so many epochs."""
    path = workdir / "metrics.csv"
    end = time.monotonic() + 300
    while not path.exists() or len(path.read_text().splitlines()) <= rows:
        if time.monotonic() > end:
            raise TimeoutError(f"{workdir} has come to no {rows} epochs")
        time.sleep(0.05)


def page(folder: Path) -> str:
    """The report's page on a sweep, wherever that lies."""
    with tempfile.TemporaryDirectory() as output:
        report.write(str(folder), output)
        return (Path(output) / "index.html").read_text().replace(str(folder), "FOLDER")


def results(folder: Path) -> dict[str, tuple]:
    """What must not depend on how a sweep went: status, rows without their times, fingerprints, by run."""
    found = {}
    for path in sorted(folder.rglob("summary.json")):
        summary = json.loads(path.read_text())
        lines = (path.parent / "metrics.csv").read_text().splitlines()
        header = lines[0].split(",")
        seconds = header.index("seconds")
        rows = [[cell for i, cell in enumerate(line.split(",")) if i != seconds] for line in lines]
        found[str(path.parent.relative_to(folder))] = (summary["status"], rows, summary["fingerprints"])
    return found
