"""Runs trials, one after another, each as a `bin/train` process."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import filelock
from keras_tuner.engine.trial import Trial, TrialStatus

from rethink_keras.errors import DataNotAvailableError, DiskError, UserError
from rethink_keras.experiments.run_process import DISK_FAILED, Job, Outcome, run_job
from rethink_keras.experiments.searches.chief import WORKERS, Trials, worker_lock
from rethink_keras.experiments.searches.search import Plan

DATA_MISSING = 3
IDLE_SECONDS = 0.5


@dataclasses.dataclass(frozen=True)
class Worker:
    """Runs trials, one after another.

    Attributes:
        tuner_id: its name among all workers of the search.
        plan: of the search.
        trials: where it gets them from.
        folder: of the search.
        environment: of its runs, besides the present one.
        data_dir: TFDS data folder; None leaves it to TFDS.
        say: called with a sentence that people should see.
    """

    tuner_id: str
    plan: Plan
    trials: Trials
    folder: Path
    environment: Mapping[str, str]
    data_dir: str | None = None
    say: Callable[[str], None] = print

    def work(self, stopping: threading.Event) -> None:
        """Runs trials until there are no more; once `stopping` is set, the present one saves and stays begun.

        Raises:
            UserError: if another worker has its name.
            DataNotAvailableError: if the data are missing, which is no trial's fault.
            DiskError: if the disk is full, likewise.
        """
        (self.folder / WORKERS).mkdir(parents=True, exist_ok=True)
        try:
            lock = worker_lock(self.folder, self.tuner_id)
            lock.acquire()
        except filelock.Timeout as error:
            raise UserError(
                f"Another worker is called {self.tuner_id}. Give each a name of its own (KERASTUNER_TUNER_ID)."
            ) from error
        try:
            while not stopping.is_set():
                trial = self.trials.create_trial(self.tuner_id)
                if trial.status == TrialStatus.STOPPED:
                    return
                if trial.status == TrialStatus.IDLE:
                    stopping.wait(IDLE_SECONDS)
                    continue
                outcome = run_job(self._job(trial), stopping, self.say)
                if outcome.exit_code and stopping.is_set():
                    return
                self._check(outcome)
                trial.status = TrialStatus.FAILED if outcome.exit_code else TrialStatus.COMPLETED
                self.trials.end_trial(trial)
        finally:
            lock.release()

    def _job(self, trial: Trial) -> Job:
        run = self.plan.run(trial)
        until = self.plan.until(trial)
        return Job.of(
            dataclasses.replace(run, fingerprint=self.plan.fingerprint(trial)),
            self.folder,
            [f"--pause_after={until}"] if until < run.epochs else [],
            retries=self.plan.search.retries,
            data_dir=self.data_dir,
            environment=self.environment,
        )

    @staticmethod
    def _check(outcome: Outcome) -> None:
        if outcome.exit_code == DATA_MISSING:
            raise DataNotAvailableError(outcome.sentence)
        if outcome.exit_code == DISK_FAILED:
            raise DiskError(outcome.sentence)
