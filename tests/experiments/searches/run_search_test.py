import contextlib
import io
import threading
from pathlib import Path
from unittest import mock

from absl.testing import absltest
from keras_tuner.engine.trial import TrialStatus

from rethink_keras import config
from rethink_keras.errors import WorkerLostError
from rethink_keras.experiments.display import DONE, FAILED, LEFT, RUNNING, Display
from rethink_keras.experiments.job import Outcome
from rethink_keras.experiments.searches import remote, run_search
from rethink_keras.experiments.searches.run_search import line, progress_of_trials
from tests.experiments.searches.chief_test import Scene
from tests.experiments.searches.small_searches import free_port, planned
from tests.experiments.stub_runs import StubEngine, wait_for
from tests.workdir import made_runs


class WaitingEngine(StubEngine):
    """Runs jobs that end when they are to stop."""

    def __init__(self):
        super().__init__(at_once=2)
        object.__setattr__(self, "begun", [])
        object.__setattr__(self, "stopped", [])

    def run(self, job, stopping, say):
        self.begun.append(job.name)
        if stopping.wait(20):
            self.stopped.append(job.name)
        return Outcome(job.name, 143)


class FailureTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(config.clear)
        self.folder = Path(self.create_tempdir())
        self.plan = planned(self.folder)
        self.enter_context(contextlib.redirect_stdout(io.StringIO()))

    def lead(self, role, engine):
        return run_search.lead(self.plan, self.folder, role, engine, None)

    def test_a_failure_of_the_display_stops_all_trials(self):
        engine = WaitingEngine()

        def fail(*_):
            wait_for(lambda: len(engine.begun) == 2)
            raise BrokenPipeError

        with mock.patch.object(Display, "update", fail), self.assertRaises(BrokenPipeError):
            self.lead(remote.Role(), engine)
        self.assertCountEqual(engine.stopped, engine.begun)
        self.assertLen(engine.begun, 2)

    def test_a_failure_while_a_worker_is_answered_ends_the_chief(self):
        address = f"127.0.0.1:{free_port()}"

        def work():
            wait_for((self.folder / remote.TOKEN).exists)
            client = remote.Client(self.folder, address, 0, threading.Event(), lambda _: None)
            trial = client.create_trial("w")
            trial.status = TrialStatus.FAILED
            with contextlib.suppress(WorkerLostError):
                client.end_trial(trial)

        worker = threading.Thread(target=work, daemon=True)
        worker.start()
        with (
            mock.patch.object(Display, "ended", side_effect=BrokenPipeError),
            self.assertRaises(BrokenPipeError),
        ):
            self.lead(remote.Role("chief", address, True), StubEngine())
        worker.join()

    def test_a_missing_chief_is_given_up(self):
        with self.assertRaisesRegex(WorkerLostError, "KERASTUNER_TUNER_ID=chief"):
            run_search.wait_for_chief(self.folder, 0)


class ProgressTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())

    def test_trials_of_all_kinds(self):
        scene = Scene(self.folder, "search.trials = 4")
        for failed in (False, True):
            scene.end(scene.chief.create_trial("w"), failed)
        begun = scene.chief.create_trial("w")
        workdir = self.folder / scene.plan.run(begun).name
        made_runs.write_run(workdir, "running", [made_runs.row(1, seconds=2.0)])
        found = progress_of_trials(scene.plan, self.folder, scene.chief.trials)
        self.assertEqual([one.status for one in found], [DONE, FAILED, RUNNING, LEFT])
        self.assertEqual([one.cost for one in found], [3] * 4)
        self.assertEqual((found[2].spent, found[2].seconds), (1, 2.0))

    def test_a_trial_that_resumes_another_counts_its_own_epochs_alone(self):
        scene = Scene(self.folder, "search.algorithm = @hyperband")
        scene.all()
        found = progress_of_trials(scene.plan, self.folder, scene.chief.trials)
        self.assertEqual([one.cost for one in found], [1, 1, 1, 2, 3, 3])

    def test_lines(self):
        scene = Scene(self.folder)
        for failed in (False, True):
            scene.end(scene.chief.create_trial("w"), failed)
        done, failed = scene.chief.trials
        self.assertRegex(
            line(scene.plan, self.folder, done), r"^trial 0000: 3 epochs, 6 s, train .*%, test 10.00%"
        )
        self.assertIn("train.optimizer = @", line(scene.plan, self.folder, done))
        self.assertStartsWith(line(scene.plan, self.folder, failed), "trial 0001: failed: ")
        (self.folder / scene.plan.run(done).name / "metrics.csv").unlink()
        self.assertStartsWith(line(scene.plan, self.folder, done), "trial 0000: done, but ")


if __name__ == "__main__":
    absltest.main()
