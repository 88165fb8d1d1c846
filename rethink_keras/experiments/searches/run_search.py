"""Runs a search: in one process, as the chief of workers elsewhere, or as one of those workers."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from keras_tuner.engine.trial import Trial, TrialStatus

from rethink_keras.errors import StoppedBySignalError, WorkerLostError
from rethink_keras.experiments import display as displays
from rethink_keras.experiments.display import Display
from rethink_keras.experiments.engines import Engine
from rethink_keras.experiments.orchestrator import UPDATE_SECONDS, leading, run_all
from rethink_keras.experiments.searches import chief as chiefs
from rethink_keras.experiments.searches import remote
from rethink_keras.experiments.searches.chief import Chief
from rethink_keras.experiments.searches.search import SearchPlan
from rethink_keras.experiments.searches.trial_source import TrialSource
from rethink_keras.experiments.searches.worker_locks import workers_alive
from rethink_keras.system.disk_errors import explain_disk_errors
from rethink_keras.system.signals import StopRequest, stop_request
from rethink_keras.workdir.workdir import Workdir

INITIAL_EPOCH = "tuner/initial_epoch"  # of Hyperband: the epoch after which a trial resumes another one
_STATUSES = {TrialStatus.COMPLETED: displays.DONE, TrialStatus.FAILED: displays.FAILED}


def lead(
    plan: SearchPlan, folder: Path, role: remote.Role, engine: Engine, data_dir: str | None
) -> list[Trial]:
    """Runs a search in this process, or as the chief of workers elsewhere; returns all trials.

    Args:
        plan: Plan of the search.
        folder: Folder of the search.
        role: Role of this process.
        engine: Where trials compute if there are no workers elsewhere.
        data_dir: TFDS data folder; None leaves it to TFDS.

    Raises:
        UserError: Another process leads the search in the folder, or it is another search.
        StoppedBySignalError: SIGINT, SIGTERM or SIGHUP came. All trials have saved then.
        DiskError: The folder cannot be written.
    """
    refusal = f"Another process leads the search in {folder}. Wait for it, or name another --workdir."
    with leading(folder, refusal) as stop:
        display = Display(lambda: progress_of_trials(plan, folder, chief.trials))
        chief = Chief(plan, folder, lambda trial: display.ended(line(plan, folder, trial)))
        print(f"Up to {len(plan.costs)} trials in {folder}, {len(chief.trials)} of them begun.", flush=True)
        with display.shown():
            if role.is_chief and not chief.finished:
                with remote.served(chief, folder, role.address):
                    print(f"Workers find this chief at {role.address}.", flush=True)
                    _watch(chief, folder, display, stop)
            elif not chief.finished:
                chief.release_lost()
                source = TrialSource(plan, chief, folder, role.tuner_id, data_dir)
                run_all(source, engine, display, stop, threads=plan.template.threads, most=len(plan.costs))
        if stop.number is not None:
            raise StoppedBySignalError(
                f"Stopped; trials in progress saved. {len(chief.trials)} of up to {len(plan.costs)} trials are begun: "
                "the same command resumes.",
                stop.number,
            )
        return chief.trials


def follow(plan: SearchPlan, folder: Path, role: remote.Role, engine: Engine, data_dir: str | None) -> None:
    """Works for a chief elsewhere until there are no more trials.

    Args:
        plan: Plan of the search.
        folder: Folder of the search.
        role: Role of this process.
        engine: Where trials compute.
        data_dir: TFDS data folder; None leaves it to TFDS.

    Raises:
        UserError: Another worker has the same name, or the chief leads another search.
        WorkerLostError: The chief does not answer.
        StoppedBySignalError: SIGINT, SIGTERM or SIGHUP came. The trials of this process have saved then.
        DiskError: The folder cannot be written.
    """
    chiefs.check_same(folder, chiefs.read(folder), plan)
    stopping = threading.Event()
    display = Display()

    def ended(trial: Trial) -> None:
        display.ended(line(plan, folder, trial))

    with explain_disk_errors(folder), stop_request() as stop:
        client = remote.Client(folder, role.address, plan.search.patience_minutes, stopping, ended)
        source = TrialSource(plan, client, folder, role.tuner_id, data_dir)
        with display.shown(), contextlib.suppress(remote.RequestCancelled):
            run_all(
                source,
                engine,
                display,
                stop,
                threads=plan.template.threads,
                most=len(plan.costs),
                stopping=stopping,
            )
        if stop.number is not None:
            raise StoppedBySignalError(
                "Stopped; trials in progress saved. The same command resumes them, unless another worker does.",
                stop.number,
            )


def wait_for_chief(folder: Path, patience_minutes: float) -> None:
    """Waits until the chief has written what it searches.

    Raises:
        WorkerLostError: It has not done so for `patience_minutes`.
    """
    end = time.monotonic() + 60 * patience_minutes
    while not (folder / chiefs.NAME).exists():
        if time.monotonic() > end:
            raise WorkerLostError(
                f"No chief has begun a search in {folder} for {patience_minutes:g} minutes. Start it with the same "
                f"--workdir, in a folder that all processes share, and {remote.ID}=chief."
            )
        time.sleep(UPDATE_SECONDS)


def _watch(chief: Chief, folder: Path, display: Display, stop: StopRequest) -> None:
    """Waits until the search is finished and its workers have ended; hands out again the trials of lost workers."""
    while not (stop or chief.trouble or (chief.finished and not workers_alive(folder))):
        for name in chief.release_lost():
            display.say(f"trial {int(name):04d}: its worker is lost; the next worker resumes it")
        display.update()
        time.sleep(UPDATE_SECONDS)
    if chief.trouble:
        raise chief.trouble


def line(plan: SearchPlan, folder: Path, trial: Trial) -> str:
    """Returns a line about how a trial ended, with its metrics and what it binds."""
    found, why = plan.measured(trial, folder)
    if found:
        how = (
            f"{found['epochs']} epochs, {found['seconds']:.0f} s, train {found['train_accuracy']:.2%}, "
            f"test {found['test_accuracy']:.2%}"
        )
    else:
        how = f"done, but {why}" if trial.status == TrialStatus.COMPLETED else f"failed: {why}"
    return f"trial {int(trial.trial_id):04d}: {how} ({plan.in_short(trial)})"


def progress_of_trials(plan: SearchPlan, folder: Path, trials: Sequence[Trial]) -> list[displays.Progress]:
    """Returns the progress of all trials that there can be, in epochs.

    Args:
        plan: Plan of the search.
        folder: Folder of the search.
        trials: Trials so far.
    """
    left = [displays.Progress(displays.LEFT, cost) for cost in plan.costs[len(trials) :]]
    return [*(_progress(plan, folder, trial) for trial in trials), *left]


def _progress(plan: SearchPlan, folder: Path, trial: Trial) -> displays.Progress:
    found = Workdir(folder / plan.run(trial).name).read()
    before = trial.hyperparameters.values.get(INITIAL_EPOCH, 0)
    cost = plan.last_epoch(trial) - before
    # A workdir that several trials of Hyperband share has the epochs of all of them.
    spent = min(max(found.epochs - before, 0), cost)
    seconds = found.seconds * spent / found.epochs if found.epochs else 0.0
    return displays.Progress(_STATUSES.get(trial.status, displays.RUNNING), cost, spent, seconds)
