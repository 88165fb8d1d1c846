"""Runs side by side on this machine."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable

import gin

from rethink_keras.experiments import placement
from rethink_keras.experiments.engines.engine import ENGINES, Engine
from rethink_keras.experiments.job import Job, Outcome
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

    def places(self, threads: int, most: int) -> list[dict[str, str]]:
        """Returns a place for each run side by side; with GPUs, each place is one of them."""
        gpus = placement.gpus()
        return placement.environments(min(self._count(threads, len(gpus)), most), gpus)

    def run(self, job: Job, stopping: threading.Event, say: Callable[[str], None]) -> Outcome:
        """Runs a job in a process of this machine."""
        return run_job(job, stopping, say)

    def _count(self, threads: int, gpus: int) -> int:
        if isinstance(self.jobs, int):
            return self.jobs
        if gpus:
            return gpus * self.runs_per_gpu
        side_by_side = machine.cores() // threads if threads else 1  # 0 stands for all
        return max(1, min(side_by_side, machine.memory() // RUN_BYTES))
