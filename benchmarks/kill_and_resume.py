"""Kills a training run at random moments, resumes it, and compares it with an uninterrupted one.

    .venv/bin/python -m benchmarks.kill_and_resume --network=mlp --kills=100
    .venv/bin/python -m benchmarks.kill_and_resume --network=wide_resnet --kills=100

The runs are `bin/train` processes, ended by SIGKILL: `mlp` is MLP 1x512 on 10,000 images of CIFAR-10 with random
labels (needs `TFDS_DATA_DIR`), `wide_resnet` a Wide ResNet 10-1 with dropout and augmentation on the digits.
Prints kills, resumes, rows and arrays compared, differences.
"""

from __future__ import annotations

import dataclasses
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from absl import flags
from tqdm import tqdm

from rethink_keras.errors import RunsDifferError
from rethink_keras.workdir import verification

ROOT = Path(__file__).parents[1]
OFTEN = "checkpoints.every_minutes = 0.005"  # also within an epoch
NETWORKS = {
    "mlp": (
        "dataset.name = 'cifar10'",
        "dataset.train_examples = 10000",  # so that most of the time is training, not starting
        "dataset.test_examples = 2000",
        "preprocessing.crop = 28",
        "randomization.labels = 'random'",
        "train.model = @mlp",
        "train.epochs = 220",
        OFTEN,
    ),
    "wide_resnet": (
        "dataset.name = 'digits'",
        "train.model = @wide_resnet",
        "wide_resnet.depth = 10",
        "regularization.dropout = 0.3",
        "augmentation.random_crop = True",
        "augmentation.padding = 1",
        "randomization.labels = 'partially_corrupted'",
        "randomization.corruption = 0.5",
        "train.learning_rate = 0.05",
        "train.batch_size = 32",
        "dataset.train_examples = 640",
        "train.epochs = 220",
        OFTEN,
    ),
}


@dataclasses.dataclass
class Outcome:
    """What was counted.

    Attributes:
        kills: Kills of the run.
        resumes: Kills after which the run resumed from a checkpoint.
        rows: Rows of metrics.csv that were compared.
        arrays: Arrays of the checkpoint that were compared.
        differences: What differed, in words.
    """

    kills: int = 0
    resumes: int = 0
    rows: int = 0
    arrays: int = 0
    differences: list[str] = dataclasses.field(default_factory=list)


def start(workdir: Path, bindings: Sequence[str]) -> subprocess.Popen:
    """Starts a `bin/train` process with piped output."""
    command = [sys.executable, str(ROOT / "bin" / "train"), f"--workdir={workdir}"]
    params = [f"--gin_param={binding}" for binding in bindings]
    return subprocess.Popen([*command, *params], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_line(process: subprocess.Popen, text: str) -> None:
    """Reads the output of a process up to a line with a text.

    Raises:
        RuntimeError: The output ends without it.
    """
    assert process.stdout is not None
    if not any(text in line for line in process.stdout):
        raise RuntimeError(f"the process ended without {text!r}: {process.communicate()}")


def newest_arrays(workdir: Path) -> list[np.ndarray]:
    """Returns all variables of the newest checkpoint, with those of optimizer and seed generators."""
    path = max((workdir / "checkpoints").glob("*.npz"))
    with np.load(path) as archive:
        return [archive[name] for name in sorted(archive.files) if name != "state"]


def kill_and_compare(folder: Path, bindings: Sequence[str], kills: int) -> Outcome:
    """Kills a run `kills` times and compares its end with that of an uninterrupted one.

    Each kill comes at a random moment between the first line of the log and twice the time that the uninterrupted
    run took from there to the end of its first epoch, so that kills hit the start, steps, evaluations and saves.

    Raises:
        RuntimeError: A process failed by itself, or the run was done before all kills.
    """
    moments = random.Random(0)
    outcome = Outcome()
    whole = start(folder / "whole", bindings)
    wait_for_line(whole, "Regularization")
    begin = time.monotonic()
    wait_for_line(whole, "001:")
    longest = 2 * (time.monotonic() - begin)
    _finish(whole)
    for _ in tqdm(range(kills), desc="kills", mininterval=10):
        process = start(folder / "killed", bindings)
        wait_for_line(process, "Regularization")
        _let_run(process, folder / "killed", moments.uniform(0, longest))
        if process.poll() is not None:
            raise RuntimeError(f"the run was done after {outcome.kills} kills: {process.communicate()}")
        process.kill()
        outcome.resumes += "Resuming in epoch" in process.communicate()[0]
        outcome.kills += 1
    outcome.resumes += "Resuming in epoch" in _finish(start(folder / "killed", bindings))
    _compare(folder, outcome)
    return outcome


def _let_run(process: subprocess.Popen, workdir: Path, seconds: float) -> None:
    """Waits for `seconds`, or until two more epochs are done: on a faster machine the run must not end too early."""
    rows = _rows(workdir)
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end and _rows(workdir) < rows + 2:
        time.sleep(0.02)


def _rows(workdir: Path) -> int:
    path = workdir / "metrics.csv"
    return len(path.read_text().splitlines()) - 1 if path.exists() else 0


def _finish(process: subprocess.Popen) -> str:
    out, err = process.communicate()
    if process.returncode:
        raise RuntimeError(f"a run failed: {err}")
    return out


def _compare(folder: Path, outcome: Outcome) -> None:
    try:
        verification.verify(folder / "killed", folder / "whole")
    except RunsDifferError as error:
        outcome.differences.append(error.sentence)
    outcome.rows = _rows(folder / "whole")
    pairs = list(zip(newest_arrays(folder / "killed"), newest_arrays(folder / "whole"), strict=True))
    outcome.arrays = len(pairs)
    outcome.differences += [f"array {k}" for k, pair in enumerate(pairs) if not np.array_equal(*pair)]


def main() -> None:
    """Runs the benchmark."""
    values = flags.FlagValues()
    flags.DEFINE_enum("network", "mlp", list(NETWORKS), "Which run.", flag_values=values)
    flags.DEFINE_integer("kills", 100, "How many times it is killed.", flag_values=values)
    values(sys.argv)
    with tempfile.TemporaryDirectory() as folder:
        outcome = kill_and_compare(Path(folder), NETWORKS[values.network], values.kills)
    print(
        f"{values.network}: {outcome.kills} kills, {outcome.resumes} resumes, {outcome.rows} rows and "
        f"{outcome.arrays} arrays compared, {len(outcome.differences)} differences {outcome.differences or ''}"
    )


if __name__ == "__main__":
    main()
