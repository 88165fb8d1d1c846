"""Runs side by side on this machine."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable

import gin

from rethink_keras.experiments import placement
from rethink_keras.experiments.engines.engine import ENGINES, Engine
from rethink_keras.experiments.job import Job, Outcome
from rethink_keras.experiments.placement import Place
from rethink_keras.experiments.run_process import run_job
from rethink_keras.system import machine
from rethink_keras.validation import check_int

RUN_BYTES = 2 * 2**30  # peak memory of a run on CIFAR-10, rounded up
MOST_JOBS, MOST_RUNS_PER_GPU = 1024, 64


@ENGINES.register("local")
@gin.configurable("local")
@dataclasses.dataclass(frozen=True)
class Local(Engine):
    """Runs side by side on this machine.

    Attributes:
        jobs: How many runs compute side by side. 'auto' takes as many as there are GPUs times `runs_per_gpu`, or,
            without a GPU, as cores and memory permit, of which a container may grant less than the machine has.
        runs_per_gpu: How many runs share a GPU.
    """

    jobs: int | str = "auto"
    runs_per_gpu: int = 1

    def __post_init__(self):
        check_int("local.runs_per_gpu", self.runs_per_gpu, 1, MOST_RUNS_PER_GPU)
        if self.jobs != "auto":
            check_int("local.jobs", self.jobs, 1, MOST_JOBS)

    def threads(self, runs: int, connect: bool = True) -> int:
        """Returns the cores divided by the runs side by side, if GPUs or `jobs` determine these, else by all runs."""
        return placement.cores_each(min(self._configured(len(placement.gpus())) or runs, runs))

    def places(self, threads: int, most: int, say: Callable[[str], None]) -> list[Place]:
        """Returns a place for each run side by side; with GPUs, each place is on one of them."""
        gpus = placement.gpus()
        count = self._configured(len(gpus)) or _as_many_as_fit(threads)
        return placement.places(min(count, most), gpus)

    def run(self, job: Job, stopping: threading.Event, say: Callable[[str], None]) -> Outcome:
        """Runs a job in a process of this machine."""
        return run_job(job, stopping, say)

    def _configured(self, gpus: int) -> int:
        """Returns the runs side by side on so many GPUs; 0 if cores and memory decide."""
        return self.jobs if isinstance(self.jobs, int) else gpus * self.runs_per_gpu


def _as_many_as_fit(threads: int) -> int:
    side_by_side = machine.cores() // threads if threads else 1  # 0 stands for all
    return max(1, min(side_by_side, machine.memory() // RUN_BYTES))
