import os
import threading
from pathlib import Path
from unittest import mock

from absl.testing import absltest
from keras_tuner.engine.trial import TrialStatus

from rethink_keras import config
from rethink_keras.experiments.run_process import Outcome
from rethink_keras.experiments.searches import worker
from rethink_keras.experiments.searches.chief import Chief
from tests.experiments.searches.small_searches import laid_out
from tests.training.small_runs import new_folder


class WorkerTest(absltest.TestCase):
    def work(self, folder, exit_code=1):
        """Goes through a search without running anything; returns its plan, trials and jobs."""
        jobs = []

        def run_job(job, stopping, say):
            jobs.append(job)
            say(job.name)
            return Outcome(job.name, exit_code, "", 1)

        plan, oracle = laid_out(folder)
        chief = Chief(plan, oracle, folder, lambda _: None)
        said = []
        works = worker.Worker("w", plan, chief, folder, {"PLACE": "1"}, "data", said.append)
        with mock.patch.object(worker, "run_job", run_job):
            works.work(threading.Event())
        self.assertEqual(said, [job.name for job in jobs])
        return plan, chief.trials, jobs

    def test_jobs_are_what_is_planned_in_whatever_folder(self):
        root = Path.cwd()
        self.addCleanup(config.clear)
        with new_folder() as folder:
            try:
                os.chdir(folder)
                here = Path.cwd()
                plan, trials, jobs = self.work(Path())
            finally:
                os.chdir(root)
        self.assertLen(jobs, 3)
        for trial, job in zip(trials, jobs, strict=True):
            self.assertEqual(job.workdir, here / plan.run(trial).name)
            self.assertIn(f"--workdir={job.workdir}", job.arguments)
            self.assertIn(f"--data_dir={here / 'data'}", job.arguments)
            self.assertEqual(job.environment["PLACE"], "1")
            config.parse([], [*plan.run(trial).bindings, "train.seed = 0"])
            self.assertEqual(job.fingerprint, config.fingerprint())
        self.assertLen({job.fingerprint for job in jobs}, 3)

    def test_a_run_that_failed_is_a_failed_trial(self):
        self.addCleanup(config.clear)
        with new_folder() as folder:
            _, trials, _ = self.work(folder)
        self.assertEqual({trial.status for trial in trials}, {TrialStatus.FAILED})


if __name__ == "__main__":
    absltest.main()
