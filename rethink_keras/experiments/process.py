"""One run of a sweep as its own `bin/train` process, tried again where that may help."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import filelock
import tenacity

from rethink_keras.experiments.manifest import FAILURE
from rethink_keras.files import LOCK

TRAIN = Path(__file__).resolve().parents[2] / "bin" / "train"
LOG = "train.log"
DISK_FAILED = 5
# Bad configuration, missing data and divergence come out the same a second time; a full disk needs people.
FINAL = (0, 2, 3, 4, DISK_FAILED)
SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's prctl
LOOK_SECONDS = 0.2


@dataclasses.dataclass(frozen=True)
class Job:
    """A run to be made.

    Attributes:
        name: the run's.
        workdir: its folder.
        arguments: of `bin/train`.
        retries: how many more times it is tried.
        environment: variables set for the process besides the present ones.
    """

    name: str
    workdir: Path
    arguments: tuple[str, ...]
    retries: int = 0
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def placed(self, environment: Mapping[str, str]) -> Job:
        """This job with more variables set."""
        return dataclasses.replace(self, environment={**self.environment, **environment})


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a run ended: the exit code of `bin/train`, what it said of an error, and how often it was tried."""

    name: str
    exit_code: int
    sentence: str
    attempts: int


def run_job(job: Job, stopping: threading.Event) -> Outcome:
    """Makes a run, or goes on with it; tries again if it was killed or failed for a reason that may pass.

    Args:
        job: the run.
        stopping: once set, the process is asked to save and end, and nothing is tried again.
    """
    attempt = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(1 + job.retries) | tenacity.stop_when_event_set(stopping),
        wait=tenacity.wait_random_exponential(max=30),
        sleep=tenacity.sleep_using_event(stopping),
        retry=tenacity.retry_if_result(lambda outcome: outcome.exit_code not in FINAL),
        retry_error_callback=_last_outcome,
    )
    outcome = attempt(_attempt, job, stopping)
    if outcome.exit_code and not stopping.is_set():
        with contextlib.suppress(OSError):  # the outcome tells it anyway
            (job.workdir / FAILURE).write_text(f"{outcome.sentence}\n", encoding="utf-8")
    return dataclasses.replace(outcome, attempts=attempt.statistics["attempt_number"])


def _last_outcome(state: tenacity.RetryCallState) -> Outcome:
    assert state.outcome is not None
    return state.outcome.result()


def _attempt(job: Job, stopping: threading.Event) -> Outcome:
    try:
        job.workdir.mkdir(parents=True, exist_ok=True)
        (job.workdir / FAILURE).unlink(missing_ok=True)
        _wait_until_free(job.workdir, stopping)
        with (job.workdir / LOG).open("ab") as log:
            code, errors = _run(job, log, stopping)
            log.write(errors)
    except OSError as error:
        return Outcome(job.name, DISK_FAILED, f"{job.workdir} cannot be written ({error.strerror}).", 1)
    lines = [line for line in errors.decode(errors="replace").splitlines() if line.strip()]
    sentence = lines[-1] if lines else ""
    if code < 0:
        sentence = f"Killed by {signal.Signals(-code).name}."
    return Outcome(job.name, code, sentence, 1)


def _run(job: Job, log, stopping: threading.Event) -> tuple[int, bytes]:
    process = subprocess.Popen(
        [sys.executable, str(TRAIN), *job.arguments],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.PIPE,
        env={**os.environ, **job.environment},
        start_new_session=True,  # Ctrl-C is for the sweep, which passes it on
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    )
    asked = False
    try:
        while True:
            try:
                _, errors = process.communicate(timeout=LOOK_SECONDS)
                return process.returncode, errors
            except subprocess.TimeoutExpired:
                if stopping.is_set() and not asked:
                    process.terminate()
                    asked = True
    except BaseException:  # Ray interrupts a task so
        process.terminate()
        process.wait()
        raise


def _wait_until_free(workdir: Path, stopping: threading.Event) -> None:
    """Waits while a process that an earlier sweep has left behind still trains in the workdir."""
    lock = filelock.FileLock(workdir / LOCK, timeout=0)
    while not stopping.is_set():
        with contextlib.suppress(filelock.Timeout), lock:
            return
        stopping.wait(LOOK_SECONDS)


_libc: Any = ctypes.CDLL(None) if sys.platform == "linux" else None


def _end_with_parent() -> None:
    """Asks Linux to send SIGTERM when the sweep dies, even by SIGKILL: the run saves and lets its workdir go."""
    _libc.prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
