"""The extension point for engines: where the runs of a sweep compute."""

from __future__ import annotations

import abc
import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence

from rethink_keras.experiments.job import Job, Outcome
from rethink_keras.experiments.placement import Place, cores_each
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

    def threads(self, runs: int, connect: bool = True) -> int:
        """Returns the processor threads of each run of a new sweep that leaves them to the engine.

        By default all runs share the cores of this machine. An engine on which fewer runs compute side by side on a
        machine divides the cores by their number.

        Args:
            runs: How many runs there can be, at least 1.
            connect: Whether it may connect to what runs the jobs, where the number depends on that.

        Returns:
            At least 1; 0 if it is not known without a connection.

        Raises:
            UserError: It may connect, and cannot.
        """
        return cores_each(runs)

    @abc.abstractmethod
    def places(self, threads: int, most: int, say: Callable[[str], None]) -> Sequence[Place]:
        """Returns the places for runs side by side, at least one. Called once, while connected.

        Args:
            threads: Processor threads of a run; 0 for all.
            most: How many jobs there can be. More places are of no use.
            say: Shows a sentence to the user, such as one about devices that stay unused.

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
