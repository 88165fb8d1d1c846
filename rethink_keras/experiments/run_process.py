"""Runs a job as a `bin/train` process of its own, and tries again where that may help."""

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
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import filelock
import tenacity

from rethink_keras.experiments.job import Job, Outcome
from rethink_keras.system.locks import LOCK
from rethink_keras.system.signals import ORPHANED
from rethink_keras.system.text import printable
from rethink_keras.workdir.workdir import Workdir

LOG = "train.log"
# Exit codes of bin/train, see rethink_keras.errors.
WRONG, DATA_MISSING, DIVERGED, DISK_FAILED, OUT_OF_MEMORY = 2, 3, 4, 5, 9
# A wrong configuration, missing data, divergence and a run that is too large come out the same a second time; a full
# disk needs a person.
FINAL = (0, WRONG, DATA_MISSING, DIVERGED, DISK_FAILED, OUT_OF_MEMORY)
SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's prctl
POLL_SECONDS = 0.2
LONGEST_SENTENCE = 1000


def run_job(job: Job, stopping: threading.Event, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """Trains or resumes a run; tries again if it was killed or failed for a reason that may be temporary.

    Args:
        job: The run.
        stopping: Once set, the process is asked to save and end, and nothing is tried again.
        say: Called with a sentence for the user while the run waits.

    Returns:
        The outcome of the last attempt. A failure is also written to the workdir, where a report finds it.
    """
    attempt = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(1 + job.retries) | tenacity.stop_when_event_set(stopping),
        wait=tenacity.wait_random_exponential(max=30),
        sleep=tenacity.sleep_using_event(stopping),
        retry=tenacity.retry_if_result(functools.partial(_may_be_temporary, job)),
        retry_error_callback=_last_outcome,
    )
    outcome = attempt(_attempt, job, stopping, say)
    if outcome.exit_code and not stopping.is_set():
        with contextlib.suppress(OSError):  # the outcome has the sentence anyway
            Workdir(job.workdir).failure.write_text(f"{outcome.sentence}\n", encoding="utf-8")
    return dataclasses.replace(outcome, attempts=attempt.statistics["attempt_number"])


def other_configuration(workdir: Path, fingerprint: str) -> str:
    """Returns a sentence if the run in a workdir was trained with another configuration than planned, else ''.

    Args:
        workdir: Folder of the run. A summary without a fingerprint, as earlier versions wrote it, is accepted.
        fingerprint: Fingerprint of the planned configuration; empty for any.
    """
    trained = Workdir(workdir).read().configuration
    if not trained or not fingerprint or trained == fingerprint:
        return ""
    return f"{workdir} was trained with another configuration than planned. Move it away and run this again."


def _may_be_temporary(job: Job, outcome: Outcome) -> bool:
    """Returns whether a run may end better if it is tried again."""
    # Other runs on its GPU may have taken the memory, and may have ended by then.
    lacked_shared_memory = outcome.exit_code == OUT_OF_MEMORY and job.shares_gpu
    return lacked_shared_memory or outcome.exit_code not in FINAL


def _last_outcome(state: tenacity.RetryCallState) -> Outcome:
    assert state.outcome is not None
    return state.outcome.result()


def _attempt(job: Job, stopping: threading.Event, say: Callable[[str], None]) -> Outcome:
    try:
        job.workdir.mkdir(parents=True, exist_ok=True)
        Workdir(job.workdir).failure.unlink(missing_ok=True)
        with (job.workdir / LOG).open("ab") as log:
            _wait_until_free(job, stopping, log, say)
            if stopping.is_set():
                return Outcome(job.name, 128 + signal.SIGTERM, "Stopped before it started.")
            code, errors = _run(job, log, stopping)
            log.write(errors)
    except OSError as error:
        return Outcome(job.name, DISK_FAILED, f"{job.workdir} cannot be written ({error.strerror}).")
    lines = [line for line in errors.decode(errors="replace").splitlines() if line.strip()]
    sentence = printable(lines[-1])[:LONGEST_SENTENCE] if lines else ""
    if code < 0:
        sentence = f"Killed by {_signal_name(-code)}."
    if code == 0 and (sentence := other_configuration(job.workdir, job.fingerprint)):
        code = WRONG
    return Outcome(job.name, code, sentence)


def _run(job: Job, log: BinaryIO, stopping: threading.Event) -> tuple[int, bytes]:
    """Runs the process to its end. Returns its exit code and its stderr."""
    process = subprocess.Popen(
        [sys.executable, *job.program, *job.arguments],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.PIPE,
        env={**os.environ, **job.environment},
        start_new_session=True,  # Ctrl-C is for the sweep, which passes it on
        preexec_fn=functools.partial(end_with_parent, os.getpid()) if sys.platform == "linux" else None,
    )
    terminated = False
    try:
        while True:
            try:
                _, errors = process.communicate(timeout=POLL_SECONDS)
                return process.returncode, errors
            except subprocess.TimeoutExpired:
                # Only once: bin/train takes a second SIGTERM as a request to end without saving.
                if stopping.is_set() and not terminated:
                    process.terminate()
                    terminated = True
    except BaseException:  # Ray cancels a task by KeyboardInterrupt
        process.terminate()
        process.communicate()  # reads the pipe, which the process could block on otherwise
        raise


def _wait_until_free(job: Job, stopping: threading.Event, log: BinaryIO, say: Callable[[str], None]) -> None:
    """Waits while another process trains in the workdir, such as one that outlives a killed sweep while it saves."""
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
        stopping.wait(POLL_SECONDS)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # such as those between SIGRTMIN and SIGRTMAX
        return f"signal {number}"


_libc: Any = ctypes.CDLL(None) if sys.platform == "linux" else None  # loaded before any fork


def end_with_parent(parent: int) -> None:
    """Makes Linux send ORPHANED to this process when its parent dies, even by SIGKILL: the run saves and ends.

    Without it, a run would train on after a killed sweep and hold its workdir. The signal is SIGUSR1, not SIGTERM:
    the kernel sends it once for every thread of the parent that ends, and a second SIGTERM means to end at once,
    without saving. SIGUSR1 asks to save and end as often as it comes (`rethink_keras.system.signals`).

    Args:
        parent: Process id of the parent.
    """
    _libc.prctl(SET_PARENT_DEATH_SIGNAL, ORPHANED)
    if os.getppid() != parent:  # it died before the line above
        os._exit(128 + ORPHANED)
