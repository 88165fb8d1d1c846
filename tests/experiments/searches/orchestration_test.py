import contextlib
import io
import threading
from unittest import mock

from absl.testing import absltest
from keras_tuner.engine.trial import TrialStatus

from rethink_keras import config
from rethink_keras.errors import WorkerLostError
from rethink_keras.experiments.engines.local import Local
from rethink_keras.experiments.run_process import Outcome
from rethink_keras.experiments.searches import orchestration, progress, remote, worker
from tests.experiments.searches.small_searches import free_port, laid_out
from tests.experiments.stub_runs import wait_for
from tests.training.small_runs import new_folder


class FailureTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(config.clear)
        self.folder = self.enter_context(new_folder())
        self.plan, self.oracle = laid_out(self.folder)
        self.enter_context(contextlib.redirect_stdout(io.StringIO()))

    def lead(self, role):
        engine = Local(jobs=2)
        orchestration.lead(self.plan, self.oracle, self.folder, role, engine, None)

    def test_a_failure_of_the_display_stops_all_trials(self):
        begun, stopped = [], []

        def run_job(job, stopping, say):
            begun.append(job.name)
            if stopping.wait(20):
                stopped.append(job.name)
            return Outcome(job.name, 143, "", 1)

        def fail(*_):
            wait_for(lambda: len(begun) == 2)
            raise BrokenPipeError

        with (
            mock.patch.object(worker, "run_job", run_job),
            mock.patch.object(progress.Display, "tick", fail),
            self.assertRaises(BrokenPipeError),
        ):
            self.lead(remote.Role())
        self.assertCountEqual(stopped, begun)
        self.assertLen(begun, 2)

    def test_a_failure_while_a_worker_is_answered_ends_the_chief(self):
        address = f"127.0.0.1:{free_port()}"

        def work():
            client = remote.Client(self.folder, address, 0, threading.Event(), lambda _: None)
            trial = client.create_trial("w")
            trial.status = TrialStatus.FAILED
            with contextlib.suppress(WorkerLostError):
                client.end_trial(trial)

        wait_for_token = threading.Thread(
            target=lambda: (wait_for((self.folder / remote.TOKEN).exists), work()), daemon=True
        )
        wait_for_token.start()
        with (
            mock.patch.object(progress.Display, "ended", side_effect=BrokenPipeError),
            self.assertRaises(BrokenPipeError),
        ):
            self.lead(remote.Role("chief", address, True))
        wait_for_token.join()


if __name__ == "__main__":
    absltest.main()
