"""`bin/train` processes of tests, what they print, and the checkpoints that they leave."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[2]


def start(workdir: Path, bindings: Sequence[str]) -> subprocess.Popen:
    """Starts a `bin/train` process with piped output."""
    command = [sys.executable, str(ROOT / "bin" / "train"), f"--workdir={workdir}"]
    params = [f"--gin_param={binding}" for binding in bindings]
    return subprocess.Popen([*command, *params], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_line(process: subprocess.Popen, text: str) -> None:
    """Reads the output of a process up to a line with a text.

    Raises:
        AssertionError: The output ends without it.
    """
    while line := process.stdout.readline():
        if text in line:
            return
    raise AssertionError(f"The process ended without {text!r}: {process.stderr.read()}")


def newest_arrays(workdir: Path) -> list[np.ndarray]:
    """Returns the variables in the newest checkpoint of a run."""
    with np.load(max((workdir / "checkpoints").glob("*.npz"))) as archive:
        return [archive[name] for name in sorted(archive.files) if name != "state"]
