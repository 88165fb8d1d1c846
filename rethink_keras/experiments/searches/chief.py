"""The chief hands out trials and takes them back. Each of its decisions is on disk before anyone sees it."""

from __future__ import annotations

import copy
import difflib
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keras_tuner.engine.trial import Trial, TrialStatus

from rethink_keras.errors import UserError
from rethink_keras.experiments.engines import Engine
from rethink_keras.experiments.planned_run import MOST_THREADS
from rethink_keras.experiments.searches.objectives import score
from rethink_keras.experiments.searches.search import Search, SearchPlan
from rethink_keras.experiments.searches.worker_locks import is_alive, is_name
from rethink_keras.system.files import write_atomically
from rethink_keras.workdir.json_files import read_json

NAME = "search.json"
FORMAT = 1
# Of an oracle, which never change.
OPTIONS = ("seed", "factor", "min_epochs", "max_epochs", "hyperband_iterations")
TRIAL_IDS = r"[0-9]{1,9}"
STATUSES = (TrialStatus.RUNNING, TrialStatus.COMPLETED, TrialStatus.FAILED)


class Chief:
    """Keras Tuner's oracle, and the file `search.json` from which it resumes.

    Workers that are threads of this process call it directly, those elsewhere through `remote.served`.

    Args:
        plan: Plan of the search, with a new oracle.
        folder: Folder of the search, locked.
        ended: Called with each trial that has ended.

    Raises:
        UserError: The folder contains another search, or its `search.json` is damaged.
    """

    def __init__(self, plan: SearchPlan, folder: Path, ended: Callable[[Trial], None]):
        self._plan = plan
        self._oracle = plan.oracle
        self._folder = folder
        self._ended = ended
        self._lock = threading.RLock()
        self.trouble: BaseException | None = None  # what failed while it answered a worker; ends the search
        self.finished = False
        if (folder / NAME).exists():
            self._restore()
        self._store()

    @property
    def trials(self) -> list[Trial]:
        """All trials so far, in the order in which they began."""
        with self._lock:
            return list(self._oracle.trials.values())

    def create_trial(self, tuner_id: str) -> Trial:
        """Returns a trial for a worker: the one that it has, else one whose worker was lost, else a new one.

        Raises:
            UserError: `tuner_id` cannot be the name of a worker.
        """
        if not is_name(tuner_id):
            raise UserError(
                f"A worker cannot be named {ascii(tuner_id)[:80]}. Use letters, digits, '_', '.' and '-', at most 64."
            )
        with self._lock:
            trial = self._oracle.create_trial(tuner_id)
            if trial.status == TrialStatus.RUNNING:
                self._store()
            elif trial.status == TrialStatus.STOPPED and self._oracle.ongoing_trials:
                trial.status = TrialStatus.IDLE  # one of those may lose its worker yet
            elif trial.status == TrialStatus.STOPPED:
                self.finished = True
                self._store()
            return copy.deepcopy(trial)  # a worker changes its own copy

    def end_trial(self, trial: Trial) -> None:
        """Takes back a trial that is COMPLETED or FAILED; reads its metrics from its workdir.

        Raises:
            UserError: There is no such trial, or it has another status.
        """
        with self._lock:
            mine = self._oracle.trials.get(trial.trial_id)
            if mine is None or trial.status not in (TrialStatus.COMPLETED, TrialStatus.FAILED):
                raise UserError(
                    f"No trial {ascii(trial.trial_id)[:80]} can end as {ascii(trial.status)[:80]}. Start the chief and "
                    "its workers with the same --workdir."
                )
            if mine.status != TrialStatus.RUNNING:  # a worker that got no answer repeats the call
                return
            mine.status = trial.status
            found, _ = self._plan.measured(mine, self._folder)
            if found:
                objective = self._oracle.objective
                value = score(objective.name, found, self._plan.run(mine).epochs)
                mine.metrics.register(objective.name, direction=objective.direction)
                mine.metrics.update(objective.name, value, step=found["epochs"])
            else:  # the run failed; or it ended well, but its files are damaged
                mine.status = TrialStatus.FAILED
            self._oracle.end_trial(mine)
            self.finished = self._over()
            self._store()
        self._ended(mine)

    def release_lost(self) -> list[str]:
        """Queues the trials of workers that have died, for other workers to resume; returns the ids of the trials."""
        with self._lock:
            lost = {
                tuner_id: trial.trial_id
                for tuner_id, trial in self._oracle.ongoing_trials.items()
                if not is_alive(self._folder, tuner_id)
            }
            for tuner_id, trial_id in lost.items():
                del self._oracle.ongoing_trials[tuner_id]
                self._oracle._retry_queue.append(trial_id)
            if lost:
                self._store()
            return list(lost.values())

    def _over(self) -> bool:
        """Returns whether all requested trials have ended. Hyperband only tells when it is asked for another one."""
        most = self._oracle.max_trials
        return bool(most) and len(self._oracle.end_order) >= most and not self._oracle.ongoing_trials

    def _store(self) -> None:
        state = {
            "format": FORMAT,
            "settings": self._plan.settings,
            "finished": self._plan.search.trials if self.finished else None,
            "oracle": self._oracle.get_state(),
            "trials": [trial.get_state() for trial in self._oracle.trials.values()],
        }
        write_atomically(self._folder / NAME, (json.dumps(state, indent=1) + "\n").encode())

    def _restore(self) -> None:
        state = read(self._folder)
        check_same(self._folder, state, self._plan)
        try:
            for stored in state["trials"]:
                trial = Trial.from_state(stored)
                self._oracle.trials[trial.trial_id] = trial
            requested = self._oracle.get_state()
            if changed := [n for n in OPTIONS if n in requested and state["oracle"].get(n) != requested[n]]:
                raise ValueError(f"another {changed[0]}")  # with which Hyperband might never end
            self._oracle.set_state(state["oracle"])
            # Unless more trials are requested now.
            self.finished = state["finished"] == self._plan.search.trials
            for trial in self._oracle.trials.values():
                _check_trial(trial, self._plan)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise _damaged(self._folder, error) from error


def read(folder: Path) -> dict[str, Any]:
    """Returns the content of the `search.json` of a folder.

    Raises:
        UserError: It is damaged, or has another format.
    """
    try:
        state = read_json(folder / NAME)
        threads = state["settings"]["threads"]
        if state["format"] != FORMAT or not isinstance(threads, int) or not 1 <= threads <= MOST_THREADS:
            raise ValueError("another format")
        return state
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, error) from error


def threads_in(folder: Path, search: Search, engine: Engine) -> int:
    """Returns the processor threads of each trial of a search: as bound, else those with which it began in the folder.

    Raises:
        UserError: The folder's `search.json` is damaged.
    """
    if isinstance(search.threads, int):
        return search.threads
    return read(folder)["settings"]["threads"] if (folder / NAME).exists() else engine.threads(search.trials)


def check_same(folder: Path, state: dict[str, Any], plan: SearchPlan) -> None:
    """Raises UserError if the state in a folder belongs to another search than the plan."""
    there, requested = (
        json.dumps(settings, indent=1).splitlines() for settings in (state["settings"], plan.settings)
    )
    if there != requested:
        lines = difflib.unified_diff(there, requested, "in the folder", "requested", lineterm="", n=0)
        raise UserError(
            f"{folder} contains another search. Name another --workdir, or restore the configuration. The difference:\n"
            + "\n".join(lines)
        )


def _check_trial(trial: Trial, plan: SearchPlan) -> None:
    """Raises ValueError, or another error of damaged values, if a stored trial cannot belong to the plan."""
    if not re.fullmatch(TRIAL_IDS, trial.trial_id) or trial.status not in STATUSES:
        raise ValueError(f"trial {ascii(trial.trial_id)[:80]}")
    if not (trial.score is None or isinstance(trial.score, (int, float))):
        raise ValueError(f"the score of trial {trial.trial_id}")
    plan.space.check(trial.hyperparameters.values)
    run = plan.run(trial)
    if not re.fullmatch(TRIAL_IDS, Path(run.name).name) or not 1 <= plan.last_epoch(trial) <= run.epochs:
        raise ValueError(f"the epochs of trial {trial.trial_id}")


def _damaged(folder: Path, error: Exception) -> UserError:
    what = f"{type(error).__name__}: {ascii(str(error))[:200]}"
    return UserError(
        f"{folder / NAME} is damaged or of another version ({what}). Name another --workdir, "
        f"or remove it to start the search again: the runs in {folder / 'trials'} are kept."
    )
