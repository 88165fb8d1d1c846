"""Runs jobs on an engine, those of a sweep as well as those of a search.

A `JobSource` has the jobs: a sweep's is a list, a search's asks Keras Tuner's oracle. The engine has places, in which
runs compute side by side. One thread for each place takes a job, runs it, and reports its outcome to the source.
"""

from __future__ import annotations

import abc
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from rethink_keras.experiments.display import Display
from rethink_keras.experiments.engines.engine import Engine
from rethink_keras.experiments.job import Job, Outcome
from rethink_keras.experiments.placement import Place
from rethink_keras.system.disk_errors import explain_disk_errors
from rethink_keras.system.files import make_folder
from rethink_keras.system.locks import held
from rethink_keras.system.signals import StopRequest, stop_request

UPDATE_SECONDS = 0.5


class JobSource(abc.ABC):
    """Where jobs come from. The threads of all places call its methods."""

    def working(self, place: int) -> contextlib.AbstractContextManager[object]:
        """Returns a context that lasts as long as jobs run in a place. By default there is nothing to do."""
        return contextlib.nullcontext()

    @abc.abstractmethod
    def next_job(self, place: int, stopping: threading.Event) -> Job | None:
        """Returns the next job for a place, and waits where there may be one later; None if there is none.

        Args:
            place: Number of the place.
            stopping: Once set, waiting ends.
        """

    @abc.abstractmethod
    def ended(self, job: Job, outcome: Outcome) -> None:
        """Receives the outcome of a job. A job that a stop request interrupted has none: it is still to be done."""


class JobList(JobSource):
    """A list of jobs, in order.

    Args:
        jobs: All jobs.
        ended: Called with each outcome.
    """

    def __init__(self, jobs: Iterable[Job], ended: Callable[[Outcome], None]):
        self._jobs = iter(tuple(jobs))  # threads may share the iterator of a tuple
        self._ended = ended

    def next_job(self, place: int, stopping: threading.Event) -> Job | None:
        """Returns the next job of the list."""
        return next(self._jobs, None)

    def ended(self, job: Job, outcome: Outcome) -> None:
        """Passes the outcome on."""
        self._ended(outcome)


def run_all(
    source: JobSource,
    engine: Engine,
    display: Display,
    stop: StopRequest,
    *,
    threads: int,
    most: int,
    stopping: threading.Event | None = None,
) -> None:
    """Runs jobs until there are no more; returns when each has ended, also if something fails meanwhile.

    Args:
        source: Has the jobs.
        engine: Runs them.
        display: Is updated meanwhile.
        stop: Once a signal has come, the runs save and end, and no more are started.
        threads: Processor threads of a run; 0 for all.
        most: How many jobs there can be.
        stopping: Is set when the runs are to end, and when all have; for sources that wait for something else.

    Raises:
        UserError: The engine cannot run such jobs.
        Exception: What the source, the engine or the display raised. All runs have saved and ended then.
    """
    stopping = stopping or threading.Event()

    def work(number: int, place: Place) -> None:
        with source.working(number):
            while not stopping.is_set() and (job := source.next_job(number, stopping)):
                outcome = engine.run(job.at(place), stopping, display.say)
                if outcome.exit_code == 0 or not stopping.is_set():
                    source.ended(job, outcome)

    with engine.connected():
        places = engine.places(threads, most, display.say)
        with concurrent.futures.ThreadPoolExecutor(len(places)) as pool:
            try:
                waiting = {pool.submit(work, number, place) for number, place in enumerate(places)}
                while waiting:
                    done, waiting = concurrent.futures.wait(waiting, UPDATE_SECONDS, "FIRST_COMPLETED")
                    if stop:
                        stopping.set()
                    for future in done:
                        future.result()
                    display.update()
            finally:
                # Leaving the pool waits for its threads. So a failure in here must ask the runs to end before that.
                stopping.set()


@contextlib.contextmanager
def leading(folder: Path, refusal: str) -> Iterator[StopRequest]:
    """Creates and locks a folder, so that one process alone works in it; yields its stop request.

    Args:
        folder: Folder of the sweep or search.
        refusal: Message of the error for another process.

    Raises:
        UserError: Another process holds the folder, or its path cannot be a folder.
        DiskError: The disk is full or fails, now or later.
    """
    make_folder(folder)
    with explain_disk_errors(folder), held(folder, refusal), stop_request() as stop:
        yield stop
