import contextlib
import threading
from pathlib import Path

from absl.testing import absltest, parameterized
from keras_tuner.engine.trial import TrialStatus

from rethink_keras.errors import DataNotAvailableError, DiskError, UserError
from rethink_keras.experiments.job import Outcome
from rethink_keras.experiments.searches.chief import Chief
from rethink_keras.experiments.searches.trial_source import TrialSource
from rethink_keras.experiments.searches.worker_locks import workers_alive
from tests.experiments.searches.small_searches import planned


class TrialSourceTest(parameterized.TestCase):
    def source(self, folder, *params):
        self.plan = planned(folder, *params)
        self.chief = Chief(self.plan, folder, lambda _: None)
        return TrialSource(self.plan, self.chief, folder, "w", "data")

    def test_jobs_are_what_is_planned_in_every_folder(self):
        with contextlib.chdir(self.create_tempdir()):
            here, source, stopping = Path.cwd(), self.source(Path()), threading.Event()
            jobs = []
            while job := source.next_job(0, stopping):
                jobs.append(job)
                source.ended(job, Outcome(job.name, 1))
        self.assertLen(jobs, 3)
        for trial, job in zip(self.chief.trials, jobs, strict=True):
            run = self.plan.checked_run(trial)
            self.assertEqual(job.workdir, here / run.name)
            self.assertIn(f"--workdir={job.workdir}", job.arguments)
            self.assertIn(f"--data_dir={here / 'data'}", job.arguments)
            self.assertEqual((job.fingerprint, job.threads, job.retries), (run.fingerprint, 1, 2))
        self.assertLen({job.fingerprint for job in jobs}, 3)
        # A run that failed is a failed trial, and the search continues.
        self.assertEqual({trial.status for trial in self.chief.trials}, {TrialStatus.FAILED})

    def test_hyperbands_short_trials_pause(self):
        source = self.source(Path(self.create_tempdir()), "search.algorithm = @hyperband")
        self.assertIn("--pause_after=1", source.next_job(0, threading.Event()).arguments)

    @parameterized.parameters((3, DataNotAvailableError), (5, DiskError))
    def test_what_is_no_trials_fault_ends_the_search(self, exit_code, error):
        source = self.source(Path(self.create_tempdir()))
        job = source.next_job(0, threading.Event())
        with self.assertRaisesRegex(error, "Full."):
            source.ended(job, Outcome(job.name, exit_code, "Full."))
        self.assertEqual(self.chief.trials[0].status, TrialStatus.RUNNING)

    def test_each_place_is_a_worker_with_a_name_of_its_own(self):
        folder = Path(self.create_tempdir())
        source = self.source(folder)
        with source.working(0), source.working(1):
            self.assertEqual(workers_alive(folder), ["w-0", "w-1"])
            with self.assertRaisesRegex(UserError, "w-0"), source.working(0):
                pass
        self.assertEmpty(workers_alive(folder))

    def test_waits_for_a_trial_until_it_is_to_stop(self):
        source, stopping = self.source(Path(self.create_tempdir()), "search.trials = 1"), threading.Event()
        source.next_job(0, stopping)
        threading.Timer(0.2, stopping.set).start()
        self.assertIsNone(source.next_job(1, stopping))  # it might have got that of place 0
        self.assertTrue(stopping.is_set())


if __name__ == "__main__":
    absltest.main()
