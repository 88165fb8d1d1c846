import contextlib
import os
import threading
from unittest import mock

from absl.testing import absltest, parameterized
from keras_tuner.engine.trial import TrialStatus

from rethink_keras import config
from rethink_keras.errors import UserError, WorkerLostError
from rethink_keras.searching import remote
from rethink_keras.searching.chief import Chief
from tests.searching.small_searches import free_port, laid_out
from tests.training.small_runs import new_folder


def variables(tuner_id="", host="", port=""):
    return mock.patch.dict(os.environ, {remote.ID: tuner_id, remote.IP: host, remote.PORT: port})


class RoleTest(parameterized.TestCase):
    def test_alone_without_the_variables(self):
        with variables():
            self.assertEqual(remote.role(), remote.Role("tuner0", "", False))

    def test_chief_and_worker(self):
        with variables("chief", "127.0.0.1", "8000"):
            self.assertEqual(remote.role(), remote.Role("chief", "127.0.0.1:8000", True))
        with variables("w-1", "127.0.0.1", "8000"):
            self.assertEqual(remote.role(), remote.Role("w-1", "127.0.0.1:8000", False))

    @parameterized.parameters(
        (("", "127.0.0.1", "8000"), "KERASTUNER_TUNER_ID is ''."),
        (("../w", "127.0.0.1", "8000"), "KERASTUNER_TUNER_ID is '../w'."),
        (("w", "127.0.0.1", ""), "KERASTUNER_ORACLE_PORT is ''."),
        (("w", "", "8000"), "KERASTUNER_ORACLE_IP is ''."),
        (("w", "host", "http"), "KERASTUNER_ORACLE_PORT is 'http'."),
    )
    def test_what_is_said_in_part(self, values, sentence):
        with variables(*values), self.assertRaises(UserError) as raised:
            remote.role()
        self.assertStartsWith(raised.exception.sentence, sentence)


class ServiceTest(absltest.TestCase):
    def tearDown(self):
        config.clear()
        super().tearDown()

    @contextlib.contextmanager
    def scene(self):
        """The plan, the chief and its address."""
        with new_folder() as folder:
            plan, oracle = laid_out(folder)
            chief = Chief(plan, oracle, folder, lambda trial: None)
            address = f"127.0.0.1:{free_port()}"
            with remote.served(chief, address):
                yield plan, chief, address

    def test_trials_cross_unchanged_and_come_back(self):
        ended = []
        with self.scene() as (plan, chief, address):
            client = remote.Client(address, 1, threading.Event(), ended.append)
            trial = client.create_trial("w")
            self.assertEqual(plan.bindings(trial), plan.bindings(chief.trials[0]))
            self.assertEqual(client.create_trial("w").trial_id, trial.trial_id)
            trial.status = TrialStatus.FAILED
            client.end_trial(trial)
            self.assertEqual(chief.trials[0].status, TrialStatus.FAILED)
            self.assertEqual(ended, [trial])

    def test_an_address_in_use_is_told(self):
        with self.scene() as (_, chief, address), self.assertRaises(UserError) as raised:
            remote.served(chief, address).__enter__()
        self.assertStartsWith(raised.exception.sentence, f"Nobody can listen at {address}.")

    def test_a_chief_that_does_not_answer_is_given_up(self):
        stopping = threading.Event()
        client = remote.Client(f"127.0.0.1:{free_port()}", 0, stopping, print)
        with mock.patch.object(remote, "ASK_SECONDS", 0.2), self.assertRaises(WorkerLostError) as raised:
            client.create_trial("w")
        self.assertEqual(raised.exception.exit_code, 8)
        stopping.set()
        with self.assertRaises(remote.Stopped):
            client.create_trial("w")


if __name__ == "__main__":
    absltest.main()
