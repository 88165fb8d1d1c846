"""Runs side by side on this machine."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import itertools
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

import gin

from rethink_keras.experiments.run_process import Job, Outcome, run_job
from rethink_keras.system import machine
from rethink_keras.validation import check_int

RUN_BYTES = 2 * 2**30  # of memory that a run on CIFAR-10 takes at its peak, rounded up
TICK_SECONDS = 1.0
MOST_JOBS, MOST_RUNS_PER_GPU = 1024, 64


@gin.configurable("local")
@dataclasses.dataclass(frozen=True)
class Local:
    """Runs side by side on this machine.

    Attributes:
        jobs: how many at a time; 'auto' takes as many as there are GPUs times `runs_per_gpu`, or, without any,
            as cores and memory allow, of which a container may grant less than the machine has.
        runs_per_gpu: how many share a GPU.
    """

    jobs: int | str = "auto"
    runs_per_gpu: int = 1

    def __post_init__(self):
        check_int("local.runs_per_gpu", self.runs_per_gpu, 1, MOST_RUNS_PER_GPU)
        if self.jobs != "auto":
            check_int("local.jobs", self.jobs, 1, MOST_JOBS)

    def run(
        self,
        jobs: Sequence[Job],
        threads: int,
        stopping: threading.Event,
        tick: Callable[[], None],
        ended: Callable[[Outcome], None],
        say: Callable[[str], None],
    ) -> None:
        """Makes all runs; returns when each has ended, also if something fails meanwhile.

        Args:
            jobs: the runs.
            threads: of each; 0 for all.
            stopping: once set, runs are asked to save and end, and no more are started.
            tick: called every second.
            ended: called with each outcome.
            say: called with a sentence that people should see meanwhile.

        Raises:
            Exception: what one of the three raises, after all runs saved and ended.
        """
        places = self.places(threads, len(jobs))
        free: queue.SimpleQueue[Mapping[str, str]] = queue.SimpleQueue()
        for place in places:
            free.put(place)
        sentences: queue.SimpleQueue[str] = queue.SimpleQueue()

        def make(job: Job) -> Outcome | None:
            if stopping.is_set():
                return None
            place = free.get()
            try:
                return run_job(job.placed(place), stopping, sentences.put)
            finally:
                free.put(place)

        # The pool's end waits for the runs, so that whatever fails must ask them to stop before.
        with concurrent.futures.ThreadPoolExecutor(len(places)) as pool, stopped_by_failure(stopping):
            waiting = {pool.submit(make, job) for job in jobs}
            while waiting:
                done, waiting = concurrent.futures.wait(waiting, TICK_SECONDS, "FIRST_COMPLETED")
                for future in done:
                    if outcome := future.result():
                        ended(outcome)
                while not sentences.empty():
                    say(sentences.get())
                tick()

    def places(self, threads: int, most: int) -> list[dict[str, str]]:
        """The places for runs: for each the environment that ties a run to its GPU, if there are any.

        Args:
            threads: of a run; 0 for all.
            most: runs that there are to make.
        """
        gpus = _gpus()
        shared = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}
        count = min(self._count(threads, len(gpus)), most)
        if not gpus:
            return [{} for _ in range(count)]
        return [
            {"CUDA_VISIBLE_DEVICES": gpu, **shared} for gpu in itertools.islice(itertools.cycle(gpus), count)
        ]

    def _count(self, threads: int, gpus: int) -> int:
        if isinstance(self.jobs, int):
            return self.jobs
        if gpus:
            return gpus * self.runs_per_gpu
        side_by_side = machine.cores() // threads if threads else 1  # 0 stands for all
        return max(1, min(side_by_side, machine.memory() // RUN_BYTES))


@contextlib.contextmanager
def stopped_by_failure(stopping: threading.Event) -> Iterator[None]:
    """Asks all runs to save and end if the block raises anything."""
    try:
        yield
    except BaseException:
        stopping.set()
        raise


def _gpus() -> list[str]:
    """Numbers of the GPUs that CUDA would show to a process."""
    import tensorflow as tf

    return [device.name.rsplit(":", 1)[-1] for device in tf.config.list_physical_devices("GPU")]
