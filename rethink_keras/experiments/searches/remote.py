"""A search over several processes or machines: Keras Tuner's environment variables and messages, over gRPC.

Chief and workers share a folder. A file in it, which only its owner can read, has a token. The chief answers only calls
that carry the token.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hmac
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures
from pathlib import Path

# Runs are started by fork and exec, and do not use gRPC.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
from keras_tuner.engine.trial import Trial
from keras_tuner.src import protos

from rethink_keras.errors import UserError, WorkerLostError
from rethink_keras.experiments.searches.chief import Chief
from rethink_keras.experiments.searches.worker_locks import NAMES

ID, IP, PORT = "KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT"
CALL_SECONDS = 5.0  # after which a call without an answer is repeated
TOKEN = ".token"  # file in a search's folder
METADATA = "rethink-keras-token"
RETRY_SECONDS = 1.0
REFUSALS = 3  # of a token, before the worker gives up: a chief that starts again has a new token


@dataclasses.dataclass(frozen=True)
class Role:
    """Role of this process in a search.

    Attributes:
        tuner_id: Name of this process.
        address: Address of the chief, host:port; empty for a search in one process.
        is_chief: Whether this process hands out trials to others.
    """

    tuner_id: str = "tuner0"
    address: str = ""
    is_chief: bool = False


def role() -> Role:
    """Returns the role of this process according to Keras Tuner's environment variables.

    Raises:
        UserError: One of them is missing or cannot be used.
    """
    tuner_id, host, port = (os.environ.get(name, "") for name in (ID, IP, PORT))
    if not host and not port:
        return Role()
    for name, value, fits in ((ID, tuner_id, NAMES), (IP, host, r"[^\s/]+"), (PORT, port, r"\d{1,5}")):
        if not re.fullmatch(fits, value, re.ASCII):
            raise UserError(
                f"{name} is {value!r}. Set {ID} to 'chief' for the chief and to another name for each worker, {IP} "
                f"and {PORT} to the chief's address for all; or unset them to search in one process."
            )
    return Role(tuner_id, f"{host}:{port}", "chief" in tuner_id)  # as Keras Tuner itself decides


@contextlib.contextmanager
def served(chief: Chief, folder: Path, address: str) -> Iterator[None]:
    """Answers workers as long as the context lasts.

    Args:
        chief: Hands out the trials.
        folder: Folder of the search, to which a new token is written.
        address: The host:port to listen at.

    Raises:
        UserError: It cannot listen at the address.
    """
    # Without so_reuseport = 0, two chiefs could listen at one port, each with some of the workers.
    server = grpc.server(
        futures.ThreadPoolExecutor(1),
        interceptors=[_Guard(write_token(folder))],
        options=[("grpc.so_reuseport", 0)],
    )
    protos.get_service_grpc().add_OracleServicer_to_server(_Service(chief), server)
    try:
        bound = server.add_insecure_port(address)
    except RuntimeError:
        bound = 0
    if not bound:
        raise UserError(
            f"The chief cannot listen at {address}. Set {IP} and {PORT} to a free port of this machine."
        )
    server.start()
    try:
        yield
    finally:
        server.stop(CALL_SECONDS).wait()


def write_token(folder: Path) -> str:
    """Writes a new token to a folder, readable by its owner alone; returns it."""
    token = secrets.token_hex(32)
    path = folder / TOKEN
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)  # before anything is in it
    path.write_text(token)
    return token


def read_token(folder: Path) -> str:
    """Returns the token of the search in a folder; '' while there is none.

    Raises:
        UserError: This user may not read it.
    """
    try:
        token = (folder / TOKEN).read_text(encoding="ascii")
        return token if re.fullmatch("[0-9a-f]{64}", token) else ""
    except PermissionError as error:
        raise UserError(
            f"{folder / TOKEN} belongs to another user. Start the chief and its workers as the same user."
        ) from error
    except (FileNotFoundError, ValueError):
        return ""


class _Guard(grpc.ServerInterceptor):
    """Refuses calls without the token, before their message is read."""

    def __init__(self, token: str):
        self._token = token.encode()

    def intercept_service(self, continuation, handler_call_details):
        """Passes a call on, or refuses it."""
        sent = dict(handler_call_details.invocation_metadata).get(METADATA, "")
        sent = sent.encode() if isinstance(sent, str) else sent
        if hmac.compare_digest(sent, self._token):
            return continuation(handler_call_details)
        return grpc.unary_unary_rpc_method_handler(_refuse)


def _refuse(request, context):
    context.abort(grpc.StatusCode.UNAUTHENTICATED, "the token is not this search's")


class _Service(protos.get_service_grpc().OracleServicer):  # type: ignore[misc]
    """The two calls of Keras Tuner's service that a worker makes; gRPC refuses the others as not implemented."""

    def __init__(self, chief: Chief):
        self._chief = chief

    def CreateTrial(self, request, context):
        """Hands out a trial."""
        with self._answering(context):
            trial = self._chief.create_trial(request.tuner_id)
            return protos.get_service().CreateTrialResponse(trial=trial.to_proto())

    def EndTrial(self, request, context):
        """Takes back a trial."""
        try:
            trial = Trial.from_proto(request.trial)
        except Exception as error:  # Keras Tuner raises many types for a message that is no trial
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"no trial ({type(error).__name__})")
        with self._answering(context):
            self._chief.end_trial(trial)
            return protos.get_service().EndTrialResponse()

    @contextlib.contextmanager
    def _answering(self, context) -> Iterator[None]:
        """Reports a worker's mistake to that worker. Any other failure is the chief's own, and ends the search."""
        try:
            yield
        except UserError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.sentence)
        except BaseException as error:
            self._chief.trouble = self._chief.trouble or error
            context.abort(grpc.StatusCode.INTERNAL, "the chief has failed")


class Client:
    """A worker's connection to its chief.

    Args:
        folder: Folder of the search, which chief and workers share.
        address: Address of the chief, host:port.
        patience_minutes: How long it tries again without an answer.
        stopping: Once set, calls end with `RequestCancelled`.
        ended: Called with each trial that has ended.
    """

    def __init__(
        self,
        folder: Path,
        address: str,
        patience_minutes: float,
        stopping: threading.Event,
        ended: Callable[[Trial], None],
    ):
        self._folder = folder
        self._address = address
        self._patience = patience_minutes * 60
        self._stopping = stopping
        self._ended = ended
        self._stub = protos.get_service_grpc().OracleStub(grpc.insecure_channel(address))

    def create_trial(self, tuner_id: str) -> Trial:
        """Returns a trial from the chief.

        Raises:
            UserError: The chief refuses.
            WorkerLostError: The chief does not answer.
            RequestCancelled: The search is to stop.
        """
        request = protos.get_service().CreateTrialRequest(tuner_id=tuner_id)
        return Trial.from_proto(self._call(self._stub.CreateTrial, request).trial)

    def end_trial(self, trial: Trial) -> None:
        """Hands a trial back to the chief.

        Raises:
            UserError: The chief refuses.
            WorkerLostError: The chief does not answer.
            RequestCancelled: The search is to stop.
        """
        self._call(self._stub.EndTrial, protos.get_service().EndTrialRequest(trial=trial.to_proto()))
        self._ended(trial)

    def _call(self, call, request):
        """Repeats a call until there is an answer. The chief gives the same answer to a call that it gets twice."""
        end = time.monotonic() + self._patience
        refusals = 0
        while not self._stopping.is_set():
            metadata = ((METADATA, read_token(self._folder)),)
            try:
                return call(request, wait_for_ready=True, timeout=CALL_SECONDS, metadata=metadata)
            except grpc.RpcError as error:
                refusals += error.code() == grpc.StatusCode.UNAUTHENTICATED
                if refusals == REFUSALS or error.code() == grpc.StatusCode.INVALID_ARGUMENT:
                    raise UserError(
                        f"The chief at {self._address} refuses this worker: {error.details()}. Start both with the "
                        f"same --workdir, in a folder that both share, and the same {IP} and {PORT}."
                    ) from error
                if time.monotonic() > end:
                    raise WorkerLostError(
                        f"The chief at {self._address} has not answered for {self._patience / 60:g} minutes "
                        f"({error.code().name}). Start it again, then the workers: all resume where they stopped."
                    ) from error
                self._stopping.wait(RETRY_SECONDS)
        raise RequestCancelled


class RequestCancelled(Exception):
    """Raised by a call to the chief if the search is to stop meanwhile."""
