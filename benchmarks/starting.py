"""How long the command takes to start: until its help is printed, and until a run's first step is done.

    .venv/bin/python -m benchmarks.starting --repeats=5

The first step is that of a whole run of one step on the embedded digits, from the shell's point of view: evaluation,
checkpoint and saved network included, so the step itself is done sooner.
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
ONE_STEP = ("dataset.train_examples = 128", "dataset.test_examples = 128", "train.epochs = 1")


def seconds(*arguments: str) -> float:
    """How long `bin/train` takes.

    Raises:
        subprocess.CalledProcessError: if it fails.
    """
    begin = time.perf_counter()
    subprocess.run(
        [sys.executable, str(ROOT / "bin" / "train"), *arguments], check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - begin


def main() -> None:
    """Runs the benchmark."""
    values = flags.FlagValues()
    flags.DEFINE_integer("repeats", 5, "Readings of each.", lower_bound=1, flag_values=values)
    values(sys.argv)
    params = [f"--gin_param={binding}" for binding in ONE_STEP]
    shown, stepped = [], []
    for _ in range(values.repeats):
        shown.append(seconds("--help"))
        with tempfile.TemporaryDirectory() as folder:
            workdir = f"--workdir={folder}/run"
            stepped.append(seconds(f"--gin_file={ROOT / 'gin' / 'quickstart.gin'}", *params, workdir))
    for name, of_name in (("help", shown), ("a run of one step on digits", stepped)):
        print(
            f"{name:<28} {', '.join(f'{s:.1f}' for s in of_name)}; median {statistics.median(of_name):.1f} s"
        )
    print(f"load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()
