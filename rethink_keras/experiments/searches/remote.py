"""A search over several processes or machines: Keras Tuner's environment variables and messages, over gRPC.

Chief and workers share a folder. In it lies a token that only its owner can read; the chief answers a call that carries
the token, and no other.
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

os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")  # runs are started by fork and exec, without gRPC
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc
from keras_tuner.engine.trial import Trial
from keras_tuner.src import protos

from rethink_keras.errors import UserError, WorkerLostError
from rethink_keras.experiments.searches.chief import NAMES, Chief

ID, IP, PORT = "KERASTUNER_TUNER_ID", "KERASTUNER_ORACLE_IP", "KERASTUNER_ORACLE_PORT"
ASK_SECONDS = 5.0  # for one answer; then the question is put again
TOKEN = ".token"  # the file of a search's folder
METADATA = "rethink-keras-token"
RETRY_SECONDS = 1.0
REFUSALS = 3  # of one call, before it is given up: a chief that starts again has a new token


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
    for name, value, fits in ((ID, tuner_id, NAMES), (IP, host, r"[^\s/]+"), (PORT, port, r"\d{1,5}")):
        if not re.fullmatch(fits, value, re.ASCII):
            raise UserError(
                f"{name} is {value!r}. Set {ID} to 'chief' for the chief and to another name for each worker, {IP} "
                f"and {PORT} to the chief's address for all; or unset them to search in one process."
            )
    return Role(tuner_id, f"{host}:{port}", "chief" in tuner_id)  # which is Keras Tuner's own rule


@contextlib.contextmanager
def served(chief: Chief, folder: Path, address: str) -> Iterator[None]:
    """Answers workers while the block runs.

    Args:
        chief: hands out the trials.
        folder: of the search, in which a new token is written.
        address: host:port to listen at.

    Raises:
        UserError: if the address cannot be listened at.
    """
    # Two servers at one port would share its workers out between them.
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
            f"Nobody can listen at {address}. Set {IP} and {PORT} to a free port of this machine."
        )
    server.start()
    try:
        yield
    finally:
        server.stop(ASK_SECONDS).wait()


def write_token(folder: Path) -> str:
    """Writes a new token into a folder, for the folder's owner alone to read; returns it."""
    token = secrets.token_hex(32)
    path = folder / TOKEN
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)  # so that it is never there for others to read
    path.write_text(token)
    return token


def read_token(folder: Path) -> str:
    """The token of the search in a folder; empty while there is none.

    Raises:
        UserError: if this user may not read it.
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
    """Refuses calls without the token, before anything is read of them."""

    def __init__(self, token: str):
        self._token = token.encode()

    def intercept_service(self, continuation, handler_call_details):
        """Passes a call on, or answers that it is refused."""
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
        """Takes a trial back."""
        try:
            trial = Trial.from_proto(request.trial)
        except Exception as error:  # Keras Tuner raises many kinds for what is no trial
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"no trial ({type(error).__name__})")
        with self._answering(context):
            self._chief.end_trial(trial)
            return protos.get_service().EndTrialResponse()

    @contextlib.contextmanager
    def _answering(self, context) -> Iterator[None]:
        """Answers what a worker has wrong; anything else that fails is the chief's, and ends the search."""
        try:
            yield
        except UserError as error:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, error.sentence)
        except BaseException as error:
            self._chief.trouble = self._chief.trouble or error
            context.abort(grpc.StatusCode.INTERNAL, "the chief has failed")


class Client:
    """The chief as a worker sees it.

    Args:
        folder: of the search, which chief and workers share.
        address: of the chief.
        patience_minutes: after so long without an answer it is given up.
        stopping: once set, nothing is asked any more.
        ended: called with each trial that has ended.
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
        """A trial of the chief's.

        Raises:
            UserError: if the chief refuses.
            WorkerLostError: if the chief does not answer.
        """
        request = protos.get_service().CreateTrialRequest(tuner_id=tuner_id)
        return Trial.from_proto(self._ask(self._stub.CreateTrial, request).trial)

    def end_trial(self, trial: Trial) -> None:
        """Tells the chief how a trial went.

        Raises:
            UserError: if the chief refuses.
            WorkerLostError: if the chief does not answer.
        """
        self._ask(self._stub.EndTrial, protos.get_service().EndTrialRequest(trial=trial.to_proto()))
        self._ended(trial)

    def _ask(self, call, request):
        """Asks until there is an answer; all questions may be put twice."""
        end = time.monotonic() + self._patience
        refusals = 0
        while not self._stopping.is_set():
            metadata = ((METADATA, read_token(self._folder)),)
            try:
                return call(request, wait_for_ready=True, timeout=ASK_SECONDS, metadata=metadata)
            except grpc.RpcError as error:
                refusals += error.code() == grpc.StatusCode.UNAUTHENTICATED
                if refusals == REFUSALS or error.code() == grpc.StatusCode.INVALID_ARGUMENT:
                    raise UserError(
                        f"The chief at {self._address} refuses this worker: {error.details()}. Start both with the "
                        f"same --workdir, in a folder that both see, and the same {IP} and {PORT}."
                    ) from error
                if time.monotonic() > end:
                    raise WorkerLostError(
                        f"The chief at {self._address} has not answered for {self._patience / 60:g} minutes "
                        f"({error.code().name}). Start it again, then the workers: all go on where they stopped."
                    ) from error
                self._stopping.wait(RETRY_SECONDS)
        raise Stopped


class Stopped(Exception):
    """Raised in place of an answer when a stop was asked for meanwhile."""
