"""Stub runs: jobs that take a third of a second, with the files, lock and signals of a real run.

`benchmarks.stub_run` is their program. No other test imports it.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import stub_run
from rethink_keras.experiments.display import Display
from rethink_keras.experiments.engines.local import Local
from rethink_keras.experiments.job import Job
from rethink_keras.experiments.orchestrator import JobList, run_all
from rethink_keras.experiments.placement import Place
from rethink_keras.experiments.run_process import LOG
from rethink_keras.system.signals import StopRequest
from tests.workdir import made_runs

PROGRAM = (stub_run.__file__,)
# About ten seconds, so that a test of stopping fails without a stop, and does not hang.
ENDLESS = ("--epochs=500", "--seconds=0.01")
VISIBLE, GROWTH = "CUDA_VISIBLE_DEVICES", "TF_FORCE_GPU_ALLOW_GROWTH"
RECORD_ENVIRONMENT = (
    f"import json, os; print(json.dumps({{n: os.environ.get(n) for n in {(VISIBLE, GROWTH)}}}))"
)


def stub_job(workdir: Path, *arguments: str, **fields) -> Job:
    """A job of a stub run; of three epochs, unless the arguments say otherwise."""
    fields = {"name": workdir.name, "program": PROGRAM, **fields}
    return Job(workdir=workdir, arguments=(f"--workdir={workdir}", *arguments), **fields)


def environment_job(workdir: Path, **fields) -> Job:
    """A job of a process that records the environment variables of its GPU in its log."""
    workdir.mkdir()
    program = workdir / "program.py"
    program.write_text(RECORD_ENVIRONMENT)
    return stub_job(workdir, program=(str(program),), **fields)


def recorded_environment(workdir: Path) -> dict[str, str | None]:
    """The environment variables that the process of an `environment_job` had."""
    return json.loads((workdir / LOG).read_text())


class StubEngine(Local):
    """The local engine with stub runs in place of the jobs' own, without GPUs.

    Args:
        more: Arguments of the stub run of a job, by its name.
        at_once: How many runs side by side.
    """

    def __init__(self, more: Callable[[str], Sequence[str]] = lambda _: (), at_once: int = 1):
        super().__init__(jobs=at_once)
        object.__setattr__(self, "more", more)

    def places(self, threads, most, say):
        return [Place() for _ in range(min(self.jobs, most))]

    def run(self, job, stopping, say):
        arguments = (*job.arguments, *self.more(job.name))
        return super().run(dataclasses.replace(job, arguments=arguments, program=PROGRAM), stopping, say)


class CalledDisplay(Display):
    """A display that calls a function at every update."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def update(self):
        self.function()


def run_jobs(jobs, engine, ended=lambda _: None, display=None, stopping=None):
    """Runs a list of jobs on one thread each."""
    display = display or Display()
    run_all(
        JobList(jobs, ended), engine, display, StopRequest(), threads=1, most=len(jobs), stopping=stopping
    )


def checkpoints(workdir: Path) -> list[Path]:
    """The checkpoints of a stub run, oldest first."""
    return stub_run.checkpoints(workdir)


def status(workdir: Path) -> str:
    """The status in a run's summary.json; '' without one."""
    path = workdir / "summary.json"
    return json.loads(path.read_text())["status"] if path.exists() else ""


def write_run(workdir: Path, status: str, rows: int, seconds: float = 30.0) -> None:
    """Writes summary.json and metrics.csv of a run."""
    made_runs.write_run(workdir, status, [made_runs.row(k + 1, seconds=seconds) for k in range(rows)])


def wait_for(holds: Callable[[], object], seconds: float = 60) -> None:
    """Waits until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.02)
