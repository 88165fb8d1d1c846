"""The extension point for engines: where the runs of a sweep compute."""

from __future__ import annotations

import abc
import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence

from rethink_keras.experiments.job import Job, Outcome
from rethink_keras.registry import Registry, subclass_of


class Engine(abc.ABC):
    """Runs jobs somewhere: on this machine, or on a cluster.

    The orchestrator decides which job runs next, and calls `run` in as many threads as there are places. An engine is
    bound in gin under the name under which it is registered, and is constructed once, in `commands/sweep.py`.
    """

    @contextlib.contextmanager
    def connected(self) -> Iterator[None]:
        """Connects to whatever runs the jobs, for as long as the context lasts. By default there is nothing to do."""
        yield

    @abc.abstractmethod
    def places(self, threads: int, most: int) -> Sequence[Mapping[str, str]]:
        """Returns the places for runs side by side, each as environment variables for the runs that it gets.

        Args:
            threads: Processor threads of a run; 0 for all.
            most: How many jobs there can be. More places are of no use.

        Raises:
            UserError: Not even one run can compute here.
        """

    @abc.abstractmethod
    def run(self, job: Job, stopping: threading.Event, say: Callable[[str], None]) -> Outcome:
        """Runs a job, and returns how it ended. Called in several threads at the same time.

        Args:
            job: The job. `run_process.run_job` runs it on the machine on which it is called.
            stopping: Once set, the run must save and end soon, with an exit code other than 0 unless it is done.
            say: Shows a sentence to the user, such as one that explains a wait.
        """


ENGINES: Registry[type[Engine]] = Registry("engine", subclass_of(Engine))
"""Engines by the name that `sweep.engine` takes."""
