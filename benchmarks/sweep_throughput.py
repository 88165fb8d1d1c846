"""Compares runs side by side, each on its share of the threads, with one after another on all of them.

    .venv/bin/python -m benchmarks.sweep_throughput --pairs=3
    .venv/bin/python -m benchmarks.sweep_throughput --runs=11 --pairs=1
    .venv/bin/python -m benchmarks.sweep_throughput --network=alexnet --pairs=3

Runs of figure 1b, their shares of corrupted labels from 0 to 1: MLP 1x512 on 20,000 images of CIFAR-10 or small AlexNet
on 1,000 (needs `TFDS_DATA_DIR`), a fixed number of epochs each. The local engine runs them in both ways, in turn;
the time to start counts. Prints the seconds of each pair and their ratio: above 1, side by side is faster. This is the
reason for `sweep.threads = 'auto'`.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from absl import flags

from rethink_keras.experiments.display import Display
from rethink_keras.experiments.engines.local import Local
from rethink_keras.experiments.job import Job, Outcome
from rethink_keras.experiments.orchestrator import JobList, run_all
from rethink_keras.system import machine
from rethink_keras.system.signals import StopRequest

ROOT = Path(__file__).parents[1]
RUNS = {
    "mlp_1x512": ("dataset.train_examples = 20000", "train.epochs = 20"),
    "alexnet": ("dataset.train_examples = 1000", "dataset.test_examples = 1000", "train.epochs = 10"),
}


def seconds(network: str, runs: int, side_by_side: int, threads: int) -> float:
    """Returns how many seconds the local engine needs for `runs` runs.

    Raises:
        RuntimeError: A run failed.
    """

    def ended(outcome: Outcome) -> None:
        if outcome.exit_code:
            raise RuntimeError(outcome.sentence)

    with tempfile.TemporaryDirectory() as folder:
        jobs = [
            _job(network, Path(folder) / str(run), run / max(runs - 1, 1), threads) for run in range(runs)
        ]
        begin = time.perf_counter()
        engine = Local(jobs=side_by_side)
        run_all(JobList(jobs, ended), engine, Display(), StopRequest(), threads=threads, most=runs)
        return time.perf_counter() - begin


def _job(network: str, workdir: Path, corruption: float, threads: int) -> Job:
    names = (f"table1_{network}.gin", "with/partially_corrupted_labels.gin")
    files = [f"--gin_file={ROOT / 'gin' / name}" for name in names]
    params = [f"--gin_param={binding}" for binding in (f"CORRUPTION = {corruption}", *RUNS[network])]
    return Job(workdir.name, workdir, (*files, *params, f"--threads={threads}", f"--workdir={workdir}"))


def main() -> None:
    """Runs the benchmark."""
    values = flags.FlagValues()
    flags.DEFINE_enum("network", "mlp_1x512", list(RUNS), "Which network.", flag_values=values)
    flags.DEFINE_integer("pairs", 3, "How many pairs.", lower_bound=1, flag_values=values)
    flags.DEFINE_integer(
        "runs", None, "How many runs; left out, as many as cores.", lower_bound=1, flag_values=values
    )
    values(sys.argv)
    cores = machine.cores()
    runs = values.runs or cores
    ratios = []
    for pair in range(values.pairs):
        alone = seconds(values.network, runs, 1, cores)
        together = seconds(values.network, runs, cores, 1)
        ratios.append(alone / together)
        print(
            f"pair {pair + 1}: one after another {alone:.1f} s, side by side {together:.1f} s, ratio "
            f"{ratios[-1]:.2f}",
            flush=True,
        )
    print(
        f"{values.network}, {runs} runs: median ratio {statistics.median(ratios):.2f} of {len(ratios)} pairs, {cores} "
        f"cores, load {os.getloadavg()[0]:.1f} at the end"
    )


if __name__ == "__main__":
    main()
