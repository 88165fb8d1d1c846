"""Measures how long a command takes to start: until it prints its help, and until a run prints its first epoch.

    .venv/bin/python -m benchmarks.starting --repeats=5

The epoch is one step on 128 of the embedded digits, with its evaluation and checkpoint. Wall time depends on what else
the machine does, processor time less so. Importing Keras includes its wrappers for scikit-learn, about 1 s of processor
time of the 6.3 s that the epoch takes on two cores of an EPYC.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from absl import flags

ROOT = Path(__file__).parents[1]
ONE_STEP = ("dataset.train_examples = 128", "dataset.test_examples = 128", "train.batch_size = 128")


def seconds_until(line: str, *arguments: str) -> float:
    """Returns the seconds until `bin/train` prints a line.

    Args:
        line: The beginning of the line.
        *arguments: Arguments of `bin/train`.

    Raises:
        RuntimeError: It does not print the line.
    """
    begin = time.perf_counter()
    command = [sys.executable, str(ROOT / "bin" / "train"), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for printed in process.stdout:
            if printed.startswith(line):
                seconds = time.perf_counter() - begin
                process.terminate()
                return seconds
    raise RuntimeError(f"{' '.join(command)} did not print {line}")


def main() -> None:
    """Runs the benchmark."""
    values = flags.FlagValues()
    flags.DEFINE_integer("repeats", 5, "Number of measurements of each.", lower_bound=1, flag_values=values)
    values(sys.argv)
    params = [f"--gin_param={binding}" for binding in ONE_STEP]
    shown, stepped = [], []
    for _ in range(values.repeats):
        shown.append(seconds_until("", "--help"))
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            workdir = f"--workdir={folder}/run"
            quickstart = f"--gin_file={ROOT / 'gin' / 'quickstart.gin'}"
            stepped.append(seconds_until("001:", quickstart, *params, workdir))
    for name, readings in (("help", shown), ("first epoch of one step", stepped)):
        print(
            f"{name:<24} {', '.join(f'{s:.1f}' for s in readings)}; median {statistics.median(readings):.1f} s"
        )
    print(f"load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
