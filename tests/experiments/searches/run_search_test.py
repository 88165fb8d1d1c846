import contextlib
import io
import threading
from pathlib import Path
from unittest import mock

from absl.testing import absltest
from keras_tuner.engine.trial import TrialStatus

from rethink_keras import config
from rethink_keras.errors import WorkerLostError
from rethink_keras.experiments.display import Display
from rethink_keras.experiments.job import Outcome
from rethink_keras.experiments.searches import remote, run_search
from tests.experiments.searches.small_searches import free_port, planned
from tests.experiments.stub_runs import StubEngine, wait_for


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


if __name__ == "__main__":
    absltest.main()
