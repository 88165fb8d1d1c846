import contextlib
import os
import threading
from pathlib import Path
from unittest import mock

import grpc
import keras_tuner
from absl.testing import absltest, parameterized
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.src import protos

from rethink_keras import config
from rethink_keras.errors import UserError, WorkerLostError
from rethink_keras.experiments.searches import chief as chiefs
from rethink_keras.experiments.searches import remote
from rethink_keras.experiments.searches.chief import Chief
from tests.experiments.searches.small_searches import free_port, planned


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


class ServiceTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(config.clear)
        self.folder = Path(self.create_tempdir())
        self.ended = []

    @contextlib.contextmanager
    def served(self, ended=lambda trial: None):
        """A chief that is served, its plan and its address."""
        plan = planned(self.folder)
        chief = Chief(plan, self.folder, ended)
        address = f"127.0.0.1:{free_port()}"
        with remote.served(chief, self.folder, address):
            yield plan, chief, address

    def client(self, address, folder=None, patience=1):
        """A worker's."""
        return remote.Client(folder or self.folder, address, patience, threading.Event(), self.ended.append)

    def state(self):
        """What the folder holds, the token aside."""
        files = {path for path in self.folder.rglob("*") if path.name != remote.TOKEN}
        return files, (self.folder / chiefs.NAME).read_text()

    def test_trials_cross_unchanged_and_come_back(self):
        with self.served() as (plan, chief, address):
            client = self.client(address)
            trial = client.create_trial("w")
            self.assertEqual(plan.bindings(trial), plan.bindings(chief.trials[0]))
            self.assertEqual(client.create_trial("w").trial_id, trial.trial_id)
            trial.status = TrialStatus.FAILED
            client.end_trial(trial)
            self.assertEqual(chief.trials[0].status, TrialStatus.FAILED)
            self.assertEqual(self.ended, [trial])

    def test_the_token_is_new_and_for_the_owner_alone(self):
        tokens = []
        for _ in range(2):
            with self.served():
                path = self.folder / remote.TOKEN
                self.assertEqual(path.stat().st_mode & 0o777, 0o600)
                tokens.append(path.read_text())
        self.assertNotEqual(*tokens)
        self.assertLen(tokens[0], 64)

    @parameterized.parameters("0" * 64, "", "\u00e9", None)
    def test_a_stranger_is_refused_and_changes_nothing(self, token):
        elsewhere = Path(self.create_tempdir())
        with self.served() as (_, chief, address):
            before = self.state()
            if token is not None:
                (elsewhere / remote.TOKEN).write_text(token)
            stranger = self.client(address, elsewhere)
            with mock.patch.object(remote, "RETRY_SECONDS", 0.01):
                for call, argument in (
                    (stranger.create_trial, "w"),
                    (stranger.end_trial, make_trial("0000")),
                ):
                    with self.assertRaises(UserError) as refused:
                        call(argument)
                    self.assertIn("--workdir", refused.exception.sentence)
            self.assertEqual(self.state(), before)
            self.assertEmpty(chief.trials)

    def test_calls_without_a_token_are_refused(self):
        with self.served() as (_, chief, address), grpc.insecure_channel(address) as channel:
            stub = protos.get_service_grpc().OracleStub(channel)
            messages = protos.get_service()
            calls = (
                (stub.CreateTrial, messages.CreateTrialRequest(tuner_id="w")),
                (stub.GetSpace, messages.GetSpaceRequest()),
                (stub.GetBestTrials, messages.GetBestTrialsRequest(num_trials=1)),
            )
            before = self.state()
            for call, request in calls:
                with self.assertRaises(grpc.RpcError) as refused:
                    call(request, timeout=10)
                self.assertEqual(refused.exception.code(), grpc.StatusCode.UNAUTHENTICATED)
            self.assertEqual(self.state(), before)
            self.assertIsNone(chief.trouble)

    @parameterized.parameters("../../evil", "x" * 300, "", ".", "..", "a/b", "a\0b", "a b", "\u00e9", "\n")
    def test_what_is_no_name_of_a_worker_is_refused_and_the_chief_stays(self, tuner_id):
        with self.served() as (_, chief, address):
            before = self.state()
            with self.assertRaises(UserError):
                self.client(address).create_trial(tuner_id)
            self.assertEqual(self.state(), before)
            self.assertIsNone(chief.trouble)
            self.assertEmpty(chief.release_lost())
            self.assertEqual(self.client(address).create_trial("w").status, TrialStatus.RUNNING)

    @parameterized.parameters(
        ("9999", TrialStatus.COMPLETED), ("../x", TrialStatus.FAILED), ("0000", TrialStatus.RUNNING)
    )
    def test_what_is_no_end_of_a_trial_is_refused(self, trial_id, status):
        with self.served() as (_, chief, address):
            client = self.client(address)
            client.create_trial("w")
            before = self.state()
            with self.assertRaises(UserError):
                client.end_trial(make_trial(trial_id, status))
            self.assertEqual(self.state(), before)
            self.assertIsNone(chief.trouble)

    def test_a_worker_finds_a_chief_that_began_again(self):
        with self.served() as (_, _, address):
            client = self.client(address)
            first = client.create_trial("w")
        plan = planned(self.folder)
        with remote.served(Chief(plan, self.folder, print), self.folder, address):
            self.assertEqual(client.create_trial("w").trial_id, first.trial_id)

    def test_what_fails_in_the_chief_is_its_trouble(self):
        def fail(trial):
            raise BrokenPipeError

        with self.served(fail) as (_, chief, address):
            client = self.client(address, patience=0)
            trial = client.create_trial("w")
            trial.status = TrialStatus.FAILED
            with mock.patch.object(remote, "CALL_SECONDS", 2), self.assertRaises(WorkerLostError):
                client.end_trial(trial)
            self.assertIsInstance(chief.trouble, BrokenPipeError)

    def test_an_address_in_use_is_told(self):
        with self.served() as (_, chief, address), self.assertRaises(UserError) as raised:
            remote.served(chief, self.folder, address).__enter__()
        self.assertStartsWith(raised.exception.sentence, f"The chief cannot listen at {address}.")

    def test_a_chief_that_does_not_answer_is_given_up(self):
        stopping = threading.Event()
        client = remote.Client(self.folder, f"127.0.0.1:{free_port()}", 0, stopping, print)
        with mock.patch.object(remote, "CALL_SECONDS", 0.2), self.assertRaises(WorkerLostError) as raised:
            client.create_trial("w")
        self.assertEqual(raised.exception.exit_code, 8)
        stopping.set()
        with self.assertRaises(remote.RequestCancelled):
            client.create_trial("w")


def make_trial(trial_id, status=TrialStatus.FAILED):
    """A trial as a worker sends it."""
    return Trial(keras_tuner.HyperParameters(), trial_id=trial_id, status=status)


if __name__ == "__main__":
    absltest.main()
