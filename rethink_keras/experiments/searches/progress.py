"""How far the trials of a search are, for the display."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from keras_tuner.engine.trial import Trial, TrialStatus

from rethink_keras.experiments import display
from rethink_keras.experiments.searches.results import in_short, measured
from rethink_keras.experiments.searches.search import SearchPlan
from rethink_keras.workdir.workdir import Workdir

INITIAL_EPOCH = "tuner/initial_epoch"  # of Hyperband: the epoch after which a trial resumes another one
_STATUSES = {TrialStatus.COMPLETED: display.DONE, TrialStatus.FAILED: display.FAILED}


def line(plan: SearchPlan, folder: Path, trial: Trial) -> str:
    """Returns a line about how a trial ended, with its metrics and what it binds."""
    found, why = measured(plan, trial, folder)
    if found:
        how = (
            f"{found['epochs']} epochs, {found['seconds']:.0f} s, train {found['train_accuracy']:.2%}, "
            f"test {found['test_accuracy']:.2%}"
        )
    else:
        how = f"done, but {why}" if trial.status == TrialStatus.COMPLETED else f"failed: {why}"
    return f"trial {int(trial.trial_id):04d}: {how} ({in_short(plan, trial)})"


def progress_of_trials(plan: SearchPlan, folder: Path, trials: Sequence[Trial]) -> list[display.Progress]:
    """Returns the progress of all trials that there can be, in epochs.

    Args:
        plan: Plan of the search.
        folder: Folder of the search.
        trials: Trials so far.
    """
    left = [display.Progress(display.LEFT, cost) for cost in plan.costs[len(trials) :]]
    return [*(_progress(plan, folder, trial) for trial in trials), *left]


def _progress(plan: SearchPlan, folder: Path, trial: Trial) -> display.Progress:
    found = Workdir(folder / plan.run(trial).name).read()
    before = trial.hyperparameters.values.get(INITIAL_EPOCH, 0)
    cost = plan.last_epoch(trial) - before
    # A workdir that several trials of Hyperband share has the epochs of all of them.
    spent = min(max(found.epochs - before, 0), cost)
    seconds = found.seconds * spent / found.epochs if found.epochs else 0.0
    return display.Progress(_STATUSES.get(trial.status, display.RUNNING), cost, spent, seconds)
