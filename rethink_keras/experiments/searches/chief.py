"""Hands out trials and takes them back; what it knows is on disk before anybody else knows it."""

from __future__ import annotations

import copy
import difflib
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import filelock
from keras_tuner.engine.trial import Trial, TrialStatus

from rethink_keras.errors import DamagedError, UserError
from rethink_keras.experiments.searches.algorithms import InMemory
from rethink_keras.experiments.searches.objectives import metrics_after, score
from rethink_keras.experiments.searches.search import Plan, Search
from rethink_keras.experiments.sweeps.manifest import MOST_THREADS
from rethink_keras.system import machine
from rethink_keras.system.files import write_atomically
from rethink_keras.workdir.json_files import read_json
from rethink_keras.workdir.workdir import Workdir

NAME = "search.json"
WORKERS = "workers"  # the folder of their locks
FORMAT = 1
OPTIONS = (
    "seed",
    "factor",
    "min_epochs",
    "max_epochs",
    "hyperband_iterations",
)  # of an oracle, the same all its life
NAMES = r"[A-Za-z0-9_.-]{1,64}"  # of a worker: a file is named after it
TRIAL_IDS = r"[0-9]{1,9}"
STATUSES = (TrialStatus.RUNNING, TrialStatus.COMPLETED, TrialStatus.FAILED)


class Trials(Protocol):
    """Where a worker gets trials from: `Chief`, or `remote.Client` on another machine."""

    def create_trial(self, tuner_id: str) -> Trial:
        """A trial to run; or one whose status says to ask again (IDLE), or that there are no more (STOPPED)."""

    def end_trial(self, trial: Trial) -> None:
        """Takes a trial back whose status says how it went."""


class Chief:
    """Keras Tuner's oracle, and the file `search.json` that it goes on from.

    Args:
        plan: of the search.
        oracle: of its trials, new.
        folder: of the search, held.
        ended: called with each trial that has ended.

    Raises:
        UserError: if the folder holds another search, or its `search.json` is damaged.
    """

    def __init__(self, plan: Plan, oracle: InMemory, folder: Path, ended: Callable[[Trial], None]):
        self._plan = plan
        self._oracle = oracle
        self._folder = folder
        self._ended = ended
        self._lock = threading.RLock()
        self.trouble: BaseException | None = None  # what failed while a worker was answered
        self.finished = False
        if (folder / NAME).exists():
            self._restore()
        self._store()

    @property
    def trials(self) -> list[Trial]:
        """All trials so far, in the order in which they were begun."""
        with self._lock:
            return list(self._oracle.trials.values())

    def create_trial(self, tuner_id: str) -> Trial:
        """A trial for a worker: the one it has, else one that lost its worker, else a new one.

        Raises:
            UserError: if `tuner_id` is no name of a worker.
        """
        if not is_name(tuner_id):
            raise UserError(
                f"A worker cannot be called {ascii(tuner_id)[:80]}. Use letters, digits, '_', '.' and '-', at most 64."
            )
        with self._lock:
            trial = self._oracle.create_trial(tuner_id)
            if trial.status == TrialStatus.RUNNING:
                self._store()
            elif trial.status == TrialStatus.STOPPED and self._oracle.ongoing_trials:
                trial.status = TrialStatus.IDLE  # the worker of one of those may be lost yet
            elif trial.status == TrialStatus.STOPPED:
                self.finished = True
                self._store()
            return copy.deepcopy(trial)  # a worker's is its own

    def end_trial(self, trial: Trial) -> None:
        """Takes a trial back that is COMPLETED or FAILED; its metrics are read from its workdir.

        Raises:
            UserError: if there is no such trial, or it has another status.
        """
        with self._lock:
            mine = self._oracle.trials.get(trial.trial_id)
            if mine is None or trial.status not in (TrialStatus.COMPLETED, TrialStatus.FAILED):
                raise UserError(
                    f"No trial {ascii(trial.trial_id)[:80]} can end as {ascii(trial.status)[:80]}. Start the chief and "
                    "its workers with the same --workdir."
                )
            if mine.status != TrialStatus.RUNNING:  # told a second time
                return
            mine.status = trial.status
            if trial.status == TrialStatus.COMPLETED:
                try:
                    self._measure(mine)
                except DamagedError:  # the files of a run that says it is done
                    mine.status = TrialStatus.FAILED
            self._oracle.end_trial(mine)
            self.finished = self._over()
            self._store()
        self._ended(mine)

    def _measure(self, trial: Trial) -> None:
        run = self._plan.run(trial)
        found = metrics_after(Workdir(self._folder / run.name).read(), self._plan.until(trial))
        objective = self._oracle.objective
        trial.metrics.register(objective.name, direction=objective.direction)
        trial.metrics.update(objective.name, score(objective.name, found, run.epochs), step=found["epochs"])

    def release_lost(self) -> list[str]:
        """Takes back the trials of workers that are no more, for others to go on with; returns their ids."""
        with self._lock:
            lost = [
                (tuner_id, trial)
                for tuner_id, trial in self._oracle.ongoing_trials.items()
                if not is_alive(self._folder, tuner_id)
            ]
            for tuner_id, trial in lost:
                del self._oracle.ongoing_trials[tuner_id]
                self._oracle._retry_queue.append(trial.trial_id)
            if lost:
                self._store()
            return [trial.trial_id for _, trial in lost]

    def _over(self) -> bool:
        """Whether as many trials as were asked for have ended; Hyperband tells that only when it is asked for one."""
        oracle = self._oracle
        most = oracle.max_trials
        return bool(most) and len(oracle.end_order) >= most and not oracle.ongoing_trials

    def _store(self) -> None:
        state = {
            "format": FORMAT,
            "settings": self._plan.settings,
            "finished": self._plan.search.trials if self.finished else None,
            "oracle": self._oracle.get_state(),
            "trials": [trial.get_state() for trial in self._oracle.trials.values()],
        }
        try:
            write_atomically(self._folder / NAME, (json.dumps(state, indent=1) + "\n").encode())
        except OSError as error:
            self.trouble = error
            raise

    def _restore(self) -> None:
        state = read(self._folder)
        check_same(self._folder, state, self._plan)
        try:
            for stored in state["trials"]:
                trial = Trial.from_state(stored)
                self._oracle.trials[trial.trial_id] = trial
            asked = self._oracle.get_state()
            if changed := [n for n in OPTIONS if n in asked and state["oracle"].get(n) != asked[n]]:
                raise ValueError(f"another {changed[0]}")  # Hyperband would go on for ever, for example
            self._oracle.set_state(state["oracle"])
            self.finished = state["finished"] == self._plan.search.trials  # there may be asked for more
            for trial in self._oracle.trials.values():
                _check_trial(trial, self._plan)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise _damaged(self._folder, error) from error


def read(folder: Path) -> dict[str, Any]:
    """What the `search.json` of a folder holds.

    Raises:
        UserError: if it is damaged, or of another format.
    """
    try:
        state = read_json(folder / NAME)
        threads = state["settings"]["threads"]
        if state["format"] != FORMAT or not isinstance(threads, int) or not 1 <= threads <= MOST_THREADS:
            raise ValueError("another format")
        return state
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(folder, error) from error


def threads_of(search: Search, folder: Path) -> int:
    """Threads of each trial: as bound, else those that the search in `folder` began with, else by the cores."""
    if isinstance(search.threads, int):
        return search.threads
    if (folder / NAME).exists():
        return read(folder)["settings"]["threads"]
    return max(1, machine.cores() // search.trials)


def check_same(folder: Path, state: dict[str, Any], plan: Plan) -> None:
    """Raises UserError if the state in a folder is another search's than the plan's."""
    there, asked = (
        json.dumps(settings, indent=1).splitlines() for settings in (state["settings"], plan.settings)
    )
    if there != asked:
        lines = difflib.unified_diff(there, asked, "in the folder", "asked for", lineterm="", n=0)
        raise UserError(
            f"{folder} holds another search. Name another --workdir, or take the configuration back. The difference:\n"
            + "\n".join(lines)
        )


def worker_lock(folder: Path, tuner_id: str) -> filelock.FileLock:
    """What a worker holds as long as it lives; the operating system lets go of it even in a crash."""
    return filelock.FileLock(folder / WORKERS / f"{tuner_id}.lock", timeout=0)


def workers_alive(folder: Path) -> list[str]:
    """Ids of the workers that work at the search in a folder."""
    return [path.stem for path in sorted((folder / WORKERS).glob("*.lock")) if is_alive(folder, path.stem)]


def is_name(tuner_id: str) -> bool:
    """Whether a worker can be called so."""
    return bool(re.fullmatch(NAMES, tuner_id)) and tuner_id not in (".", "..")


def is_alive(folder: Path, tuner_id: str) -> bool:
    """Whether a worker of that id works at the search in a folder."""
    if not is_name(tuner_id):
        return False
    try:
        with worker_lock(folder, tuner_id):
            return False
    except filelock.Timeout:
        return True


def _check_trial(trial: Trial, plan: Plan) -> None:
    """Raises an exception if a stored trial is none of the plan's."""
    if not re.fullmatch(TRIAL_IDS, trial.trial_id) or trial.status not in STATUSES:
        raise ValueError(f"trial {ascii(trial.trial_id)[:80]}")
    if not (trial.score is None or isinstance(trial.score, (int, float))):
        raise ValueError(f"the score of trial {trial.trial_id}")
    plan.space.check(trial.hyperparameters.values)
    run = plan.run(trial)
    if not re.fullmatch(TRIAL_IDS, Path(run.name).name) or not 1 <= plan.until(trial) <= run.epochs:
        raise ValueError(f"the epochs of trial {trial.trial_id}")


def _damaged(folder: Path, error: Exception) -> UserError:
    what = f"{type(error).__name__}: {ascii(str(error))[:200]}"
    return UserError(
        f"{folder / NAME} is damaged or of another version ({what}). Name another --workdir, "
        f"or remove it to begin the search anew: the runs in {folder / 'trials'} are kept."
    )
