"""One run of a sweep as its own `bin/train` process, tried again where that may help."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import functools
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import filelock
import tenacity

from rethink_keras.experiments.sweeps.manifest import FAILURE, PlannedRun
from rethink_keras.system.locks import LOCK
from rethink_keras.system.signals import ORPHANED
from rethink_keras.system.text import printable
from rethink_keras.workdir.workdir import Workdir

TRAIN = Path(__file__).resolve().parents[2] / "bin" / "train"
LOG = "train.log"
WRONG, DISK_FAILED = 2, 5
# Bad configuration, missing data and divergence come out the same a second time; a full disk needs people.
FINAL = (0, WRONG, 3, 4, DISK_FAILED)
SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's prctl
LOOK_SECONDS = 0.2
MOST_SAID = 1000  # characters of an error


@dataclasses.dataclass(frozen=True)
class Job:
    """A run to be made.

    Attributes:
        name: the run's.
        workdir: its folder.
        arguments: of `bin/train`.
        retries: how many more times it is tried.
        environment: variables set for the process besides the present ones.
        fingerprint: of the configuration that it must have been made with; empty for any.
        program: a Python script with `bin/train`'s flags and exit codes.
    """

    name: str
    workdir: Path
    arguments: tuple[str, ...]
    retries: int = 0
    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    fingerprint: str = ""
    program: Path = TRAIN

    @classmethod
    def of(
        cls,
        run: PlannedRun,
        folder: Path,
        more: Sequence[str] = (),
        *,
        retries: int,
        data_dir: str | None,
        environment: Mapping[str, str],
    ) -> Job:
        """The job of a planned run, which is the same in whatever folder and on whatever machine it is made.

        Args:
            run: planned.
            folder: of the sweep or search.
            more: arguments of `bin/train` besides the run's.
            retries: how many more times it is tried.
            data_dir: TFDS data folder; None leaves it to TFDS.
            environment: variables set for the process besides the present ones.
        """
        arguments = [*run.arguments(folder), *more]
        if data_dir:
            arguments.append(f"--data_dir={_absolute(data_dir)}")
        # A machine of a cluster has the environment of its own service, not of this process.
        data = {name: _absolute(os.environ[name]) for name in ("TFDS_DATA_DIR",) if os.environ.get(name)}
        workdir = folder.absolute() / run.name
        return cls(run.name, workdir, tuple(arguments), retries, {**data, **environment}, run.fingerprint)

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


def run_job(job: Job, stopping: threading.Event, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Makes or resumes a run; tries again if it was killed or failed for a reason that may pass.

    Args:
        job: the run.
        stopping: once set, the process is asked to save and end, and nothing is tried again.
        say: called with a sentence that people should see meanwhile.
    """
    attempt = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(1 + job.retries) | tenacity.stop_when_event_set(stopping),
        wait=tenacity.wait_random_exponential(max=30),
        sleep=tenacity.sleep_using_event(stopping),
        retry=tenacity.retry_if_result(lambda outcome: outcome.exit_code not in FINAL),
        retry_error_callback=_last_outcome,
    )
    outcome = attempt(_attempt, job, stopping, say)
    if outcome.exit_code and not stopping.is_set():
        with contextlib.suppress(OSError):  # the outcome tells it anyway
            (job.workdir / FAILURE).write_text(f"{outcome.sentence}\n", encoding="utf-8")
    return dataclasses.replace(outcome, attempts=attempt.statistics["attempt_number"])


def _last_outcome(state: tenacity.RetryCallState) -> Outcome:
    assert state.outcome is not None
    return state.outcome.result()


def other_configuration(workdir: Path, fingerprint: str) -> str:
    """A sentence if the run in a workdir was made with another configuration than planned; else empty.

    Args:
        workdir: of the run; a summary that names no configuration, as older ones do, is taken as it is.
        fingerprint: of the planned configuration; empty for any.
    """
    made = Workdir(workdir).read().configuration
    if not made or not fingerprint or made == fingerprint:
        return ""
    return f"{workdir} was made with another configuration than planned. Move it away and run the same command again."


def _attempt(job: Job, stopping: threading.Event, say: Callable[[str], None]) -> Outcome:
    try:
        job.workdir.mkdir(parents=True, exist_ok=True)
        (job.workdir / FAILURE).unlink(missing_ok=True)
        with (job.workdir / LOG).open("ab") as log:
            _wait_until_free(job, stopping, log, say)
            if stopping.is_set():
                return Outcome(job.name, 128 + signal.SIGTERM, "Stopped before it began.", 1)
            code, errors = _run(job, log, stopping)
            log.write(errors)
    except OSError as error:
        return Outcome(job.name, DISK_FAILED, f"{job.workdir} cannot be written ({error.strerror}).", 1)
    lines = [line for line in errors.decode(errors="replace").splitlines() if line.strip()]
    sentence = printable(lines[-1])[:MOST_SAID] if lines else ""
    if code < 0:
        sentence = f"Killed by {_signal_name(-code)}."
    if code == 0 and (sentence := other_configuration(job.workdir, job.fingerprint)):
        code = WRONG
    return Outcome(job.name, code, sentence, 1)


def _run(job: Job, log: BinaryIO, stopping: threading.Event) -> tuple[int, bytes]:
    process = subprocess.Popen(
        [sys.executable, str(job.program), *job.arguments],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.PIPE,
        env={**os.environ, **job.environment},
        start_new_session=True,  # Ctrl-C is for the sweep, which passes it on
        preexec_fn=functools.partial(end_with_parent, os.getpid()) if sys.platform == "linux" else None,
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
        process.communicate()  # what it says must be read, or it could not end
        raise


def _wait_until_free(job: Job, stopping: threading.Event, log: BinaryIO, say: Callable[[str], None]) -> None:
    """Waits while another process trains in the workdir, such as one that a killed sweep has left behind."""
    lock = filelock.FileLock(job.workdir / LOCK, timeout=0)
    said = False
    while not stopping.is_set():
        with contextlib.suppress(filelock.Timeout), lock:
            return
        if not said:
            sentence = f"{job.name}: another process trains in {job.workdir}. Waiting until it ends."
            log.write(f"{sentence}\n".encode())
            log.flush()
            say(sentence)
            said = True
        stopping.wait(LOOK_SECONDS)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # such as those between SIGRTMIN and SIGRTMAX
        return f"signal {number}"


def _absolute(data_dir: str) -> str:
    """A data folder as seen from everywhere; TFDS itself understands gs://bucket/folder and ~/folder."""
    return data_dir if "://" in data_dir or data_dir.startswith("~") else str(Path(data_dir).absolute())


_libc: Any = ctypes.CDLL(None) if sys.platform == "linux" else None


def end_with_parent(parent: int) -> None:
    """Asks Linux to send a signal when the sweep dies, even by SIGKILL: the run saves and releases its workdir.

    Args:
        parent: process id of the sweep.
    """
    _libc.prctl(SET_PARENT_DEATH_SIGNAL, ORPHANED)
    if os.getppid() != parent:  # it died before this process could ask
        os._exit(128 + ORPHANED)
