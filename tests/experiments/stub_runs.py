"""Jobs whose processes are `benchmarks.stub_run`: a third of a second each, with a real run's files and signals."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import stub_run
from rethink_keras.experiments.engines.local import Local
from rethink_keras.experiments.run_process import Job

# Some ten seconds, so that a missing stop fails a test and does not hang it.
ENDLESS = ("--epochs=500", "--seconds=0.01")


def stub_job(workdir: Path, *arguments: str, **fields) -> Job:
    """A job of a stub run in a workdir; of three epochs, unless the arguments say otherwise."""
    fields = {"name": workdir.name, "program": Path(stub_run.__file__), **fields}
    return Job(workdir=workdir, arguments=(f"--workdir={workdir}", *arguments), **fields)


class StubEngine(Local):
    """The local engine with stub runs in place of those it is given, and one place for each.

    Args:
        more: by a job's name, arguments of its stub run.
        at_once: how many runs side by side.
    """

    def __init__(self, more: Callable[[str], Sequence[str]] = lambda _: (), at_once: int = 1):
        super().__init__(jobs=at_once)
        object.__setattr__(self, "_more", more)

    def places(self, threads, most):
        """As many as there may be at once, without a look for GPUs."""
        return [{} for _ in range(min(self.jobs, most))]

    def run(self, jobs, *arguments):
        """Makes stub runs."""
        stubs = [
            dataclasses.replace(
                job,
                arguments=(f"--workdir={job.workdir}", *self._more(job.name)),
                program=Path(stub_run.__file__),
            )
            for job in jobs
        ]
        super().run(stubs, *arguments)


def status(workdir: Path) -> str:
    """Of a run's summary.json; empty without one."""
    path = workdir / "summary.json"
    return json.loads(path.read_text())["status"] if path.exists() else ""


def wait_for(holds: Callable[[], object], seconds: float = 60) -> None:
    """Waits until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.02)
