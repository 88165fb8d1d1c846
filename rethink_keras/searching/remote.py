"""A search over several processes or machines: Keras Tuner's environment variables and its service, over gRPC."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")  # runs are started by fork and exec, without gRPC
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
from keras_tuner.engine.trial import Trial
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer

from rethink_keras.errors import UserError, WorkerLostError
from rethink_keras.searching.chief import Chief

ID, IP, PORT = "KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT"
ASK_SECONDS = 5.0  # for one answer; then the question is put again


@dataclasses.dataclass(frozen=True)
class Role:
    """What this process is in a search.

    Attributes:
        tuner_id: its name.
        address: of the chief, host:port; empty for a search in one process.
        is_chief: whether it hands out trials to others.
    """

    tuner_id: str = "tuner0"
    address: str = ""
    is_chief: bool = False


def role() -> Role:
    """What Keras Tuner's environment variables say that this process is.

    Raises:
        UserError: if they say it in part only, or cannot be used.
    """
    tuner_id, host, port = (os.environ.get(name, "") for name in (ID, IP, PORT))
    if not host and not port:
        return Role()
    for name, value, fits in ((ID, tuner_id, r"[\w.-]+"), (IP, host, r"[^\s/]+"), (PORT, port, r"\d{1,5}")):
        if not re.fullmatch(fits, value, re.ASCII):
            raise UserError(
                f"{name} is {value!r}. Set {ID} to 'chief' for the chief and to another name for each worker, {IP} "
                f"and {PORT} to the chief's address for all; or unset them to search in one process."
            )
    return Role(tuner_id, f"{host}:{port}", "chief" in tuner_id)  # which is Keras Tuner's own rule


@contextlib.contextmanager
def served(chief: Chief, address: str) -> Iterator[None]:
    """Answers workers while the block runs.

    Raises:
        UserError: if the address cannot be listened at.
    """
    # Two servers at one port would share its workers out between them.
    server = grpc.server(futures.ThreadPoolExecutor(1), options=[("grpc.so_reuseport", 0)])
    protos.get_service_grpc().add_OracleServicer_to_server(OracleServicer(chief), server)
    try:
        bound = server.add_insecure_port(address)
    except RuntimeError:
        bound = 0
    if not bound:
        raise UserError(
            f"Nobody can listen at {address}. Set {IP} and {PORT} to a free port of this machine."
        )
    server.start()
    try:
        yield
    finally:
        server.stop(ASK_SECONDS).wait()


class Client:
    """The chief as a worker sees it.

    Args:
        address: of the chief.
        patience_minutes: after so long without an answer it is given up.
        stopping: once set, nothing is asked any more.
        ended: called with each trial that has ended.
    """

    def __init__(
        self, address: str, patience_minutes: float, stopping: threading.Event, ended: Callable[[Trial], None]
    ):
        self._address = address
        self._patience = patience_minutes * 60
        self._stopping = stopping
        self._ended = ended
        self._stub = protos.get_service_grpc().OracleStub(grpc.insecure_channel(address))

    def create_trial(self, tuner_id: str) -> Trial:
        """A trial of the chief's.

        Raises:
            WorkerLostError: if the chief does not answer.
        """
        request = protos.get_service().CreateTrialRequest(tuner_id=tuner_id)
        return Trial.from_proto(self._ask(self._stub.CreateTrial, request).trial)

    def end_trial(self, trial: Trial) -> None:
        """Tells the chief how a trial went.

        Raises:
            WorkerLostError: if the chief does not answer.
        """
        self._ask(self._stub.EndTrial, protos.get_service().EndTrialRequest(trial=trial.to_proto()))
        self._ended(trial)

    def _ask(self, call, request):
        """Asks until there is an answer; all questions may be put twice."""
        end = time.monotonic() + self._patience
        while not self._stopping.is_set():
            try:
                return call(request, wait_for_ready=True, timeout=ASK_SECONDS)
            except grpc.RpcError as error:
                if time.monotonic() > end:
                    raise WorkerLostError(
                        f"The chief at {self._address} has not answered for {self._patience / 60:g} minutes "
                        f"({error.code().name}). Start it again, then the workers: all go on where they stopped."
                    ) from error
                self._stopping.wait(1.0)
        raise Stopped


class Stopped(Exception):
    """Raised in place of an answer when a stop was asked for meanwhile."""
