"""The trials of a search as jobs, in the process that runs them."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import filelock
from keras_tuner.engine.trial import Trial, TrialStatus

from rethink_keras.errors import DataNotAvailableError, DiskError, UserError
from rethink_keras.experiments.job import Job, Outcome
from rethink_keras.experiments.orchestrator import JobSource
from rethink_keras.experiments.run_process import DATA_MISSING, DISK_FAILED
from rethink_keras.experiments.searches.chief import Chief
from rethink_keras.experiments.searches.remote import Client
from rethink_keras.experiments.searches.search import SearchPlan
from rethink_keras.experiments.searches.worker_locks import worker_lock

IDLE_SECONDS = 0.5


class TrialSource(JobSource):
    """Trials that the chief hands out, one at a time to each place. Every place is a worker of Keras Tuner.

    Args:
        plan: Plan of the search.
        trials: Hands out the trials: the chief, or a connection to one on another machine.
        folder: Folder of the search.
        tuner_id: Name of this process among those of the search.
        data_dir: TFDS data folder; None leaves it to TFDS.
    """

    def __init__(
        self, plan: SearchPlan, trials: Chief | Client, folder: Path, tuner_id: str, data_dir: str | None
    ):
        self._plan = plan
        self._trials = trials
        self._folder = folder
        self._tuner_id = tuner_id
        self._data_dir = data_dir
        self._begun: dict[str, Trial] = {}  # by the name of the job

    def working(self, place: int) -> contextlib.AbstractContextManager[object]:
        """Takes the lock by which the chief knows that this worker lives; returns a context that releases it.

        Raises:
            UserError: Another worker has the same name.
        """
        name = self._worker(place)
        try:
            return worker_lock(self._folder, name).acquire()
        except filelock.Timeout as error:
            raise UserError(
                f"Another worker is named {name}. Give each a name of its own (KERASTUNER_TUNER_ID)."
            ) from error

    def next_job(self, place: int, stopping: threading.Event) -> Job | None:
        """Returns the job of the next trial: the one that this place has begun before, or a new one."""
        while not stopping.is_set():
            trial = self._trials.create_trial(self._worker(place))
            if trial.status == TrialStatus.STOPPED:
                return None
            if trial.status != TrialStatus.IDLE:
                return self._job(trial)
            stopping.wait(IDLE_SECONDS)  # the chief has no trial until others have ended, or a worker is lost
        return None

    def ended(self, job: Job, outcome: Outcome) -> None:
        """Hands a trial back.

        Raises:
            DataNotAvailableError: The data are missing, which no other trial would change.
            DiskError: The disk is full or fails, likewise.
        """
        trial = self._begun.pop(job.name)
        if outcome.exit_code == DATA_MISSING:
            raise DataNotAvailableError(outcome.sentence)
        if outcome.exit_code == DISK_FAILED:
            raise DiskError(outcome.sentence)
        # Any other failure is the trial's own, such as a learning rate at which it diverges: the search continues.
        trial.status = TrialStatus.FAILED if outcome.exit_code else TrialStatus.COMPLETED
        self._trials.end_trial(trial)

    def _worker(self, place: int) -> str:
        return f"{self._tuner_id}-{place}"

    def _job(self, trial: Trial) -> Job:
        run = self._plan.checked_run(trial)
        self._begun[run.name] = trial
        last = self._plan.last_epoch(trial)
        pause = [f"--pause_after={last}"] if last < run.epochs else []
        return run.job(self._folder, *pause, retries=self._plan.search.retries, data_dir=self._data_dir)
