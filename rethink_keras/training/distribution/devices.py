"""The devices of a run: distribution strategy, errors of the device, the machine in words."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import platform
import re
from pathlib import Path

import tensorflow as tf

from rethink_keras.data.pipeline import HOST
from rethink_keras.errors import DataNotAvailableError, OutOfMemoryError, UserError, WorkerLostError
from rethink_keras.training.distribution.replicas import Replicas
from rethink_keras.training.distribution.workers import SINGLE_WORKER, Workers

STRATEGIES = ("auto", "none", "mirrored", "multi_worker")
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
GPU_SPEED = (
    100  # in steps and evaluations of the paper's networks, against two cores; the order of magnitude counts
)
_LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
)
# Errors of a GPU's memory that are no ResourceExhaustedError: of CUDA, of its libraries, and of a copy to a GPU whose
# target could not be allocated. 'DNN library initialization failed' and CUDNN_STATUS_INTERNAL_ERROR have other causes,
# too, such as a driver that does not fit, and pass unchanged.
_OUT_OF_MEMORY = re.compile(
    r"CUDA_ERROR_OUT_OF_MEMORY|CU(DNN|BLAS)_STATUS_ALLOC_FAILED|CUDNN failed to allocate|cuMemAlloc failed to allocate|"
    r"Status: out of memory|Dst tensor is not initialized"
)
# Parts of error messages: of XLA's compiler, of the operation that reads a tf.data iterator, and around the reason.
_XLA = re.compile(r"tf2xla|XLA_\w+_JIT")
_READING = "IteratorGetNext"
_AROUND_REASON = re.compile(r"Graph execution error|Detected at node|File \"|<stack traces")


@dataclasses.dataclass(frozen=True, eq=False)
class Devices:
    """The devices that compute a run in this process.

    Attributes:
        device: The one that has the data in memory, such as 'GPU:0': the one that computes, or the host, which deals
            out the batches to several replicas.
        strategy: For several replicas; None for one device.
    """

    device: str = HOST
    strategy: tf.distribute.Strategy | None = None

    @property
    def replicas(self) -> int:
        """The number of devices that each compute a part of every batch, over all workers."""
        return self.strategy.num_replicas_in_sync if self.strategy else 1

    @property
    def speed(self) -> int:
        """About how many times as fast as two cores of a processor one device is, for budgets of work."""
        return GPU_SPEED if tf.config.list_logical_devices("GPU") else 1

    def scope(self) -> contextlib.AbstractContextManager:
        """Returns the context in which a network is built for these devices."""
        return self.strategy.scope() if self.strategy else self.placement()

    def placement(self) -> contextlib.AbstractContextManager:
        """Returns the context in which a network that was built for these devices is trained and evaluated."""
        return contextlib.nullcontext() if self.strategy else tf.device(self.device)


ONE_PROCESSOR = Devices()


def choose(name: str, workers: Workers = SINGLE_WORKER, *, in_memory: bool) -> Devices:
    """Returns the devices of a run.

    Args:
        name: 'none' for one device; 'mirrored' for all GPUs, or all logical CPU devices; 'auto' for one device where
            the data are in memory, since its steps need nothing of the host then, and for all GPUs where images are
            streamed.
        workers: The processes that train the run; the name is for a single one.
        in_memory: Whether the data are in memory, not streamed.
    """
    if workers.strategy is not None:
        return Devices(HOST, workers.strategy)
    gpus = tf.config.list_logical_devices("GPU")
    if name == "mirrored" or (name == "auto" and len(gpus) > 1 and not in_memory):
        devices = gpus or tf.config.list_logical_devices("CPU")
        return Devices(HOST, _replicas(tuple(device.name for device in devices)))
    return Devices("GPU:0" if gpus else HOST)


@functools.cache
def _replicas(names: tuple[str, ...]) -> Replicas:
    """Returns the strategy of these devices, one for all runs of a process.

    Every strategy numbers its collective operations from the same number on, and TensorFlow takes those of a second
    one for those of the first: a second run of another network would end with an error.
    """
    return Replicas(list(names))


def check_batch_divides(devices: Devices, batch_size: int, examples: int) -> None:
    """Raises UserError unless every batch of an epoch splits evenly: an uneven split changes gradients."""
    replicas, last = devices.replicas, examples % batch_size
    if batch_size % replicas:
        raise UserError(
            f"batch_size is {batch_size}, which does not divide by {replicas} replicas. "
            "Choose a train.batch_size that does, or train.strategy = 'none'."
        )
    if last % replicas:
        raise UserError(
            f"the last batch of {examples} examples is {last}, which does not divide by {replicas} replicas. "
            f"Choose another train.batch_size, set dataset.train_examples = {examples - last % replicas}, or "
            "train.strategy = 'none'."
        )


def check_precision(devices: Devices, precision: str) -> None:
    """Raises UserError for float16 on several replicas.

    Its loss is scaled, and a step whose gradients overflow is left out. Keras looks for an overflow in the gradients
    of the first replica only: one on another replica would reach the weights.
    """
    if precision == "mixed_float16" and devices.replicas > 1:
        raise UserError(
            f"train.precision = 'mixed_float16' is not safe on {devices.replicas} replicas: Keras checks the first "
            "one only for overflow. Set train.precision = 'mixed_bfloat16', or train.strategy = 'none'."
        )


@contextlib.contextmanager
def translate_tensorflow_errors():
    """Translates the errors of TensorFlow that a user can do something about; all others pass unchanged.

    Raises:
        OutOfMemoryError: The run needs more memory than its device has left.
        UserError: XLA cannot compile the step.
        DataNotAvailableError: Streamed records are damaged, missing or not what they should be.
        WorkerLostError: Another worker does not answer any more.
    """
    try:
        yield
    except _LOST as error:
        raise WorkerLostError(
            "Another worker was lost: it died, cannot be reached, or stopped for a reason that its own terminal "
            "shows. Start all workers again by the same command: they resume from the last checkpoint."
        ) from error
    except tf.errors.OpError as error:
        if isinstance(error, tf.errors.ResourceExhaustedError) or _OUT_OF_MEMORY.search(error.message):
            raise OutOfMemoryError(
                "The network or a batch does not fit into the memory that is left. Set train.batch_size or "
                "evaluation.batch_size smaller, take a smaller network, or let fewer runs share the memory."
            ) from error
        if _XLA.search(error.message):
            reason = _reason(error)
            remedy = ", or set train.deterministic = False" if "determinis" in reason else ""
            raise UserError(
                f"XLA cannot compile the training step: {reason} Leave train.jit_compile out{remedy}."
            ) from error
        if isinstance(error, tf.errors.DataLossError) or _READING in error.message:
            raise DataNotAvailableError(
                f"The data could not be read: {_reason(error)} Remove the data set's folder and prepare it again by "
                "bin/data prepare."
            ) from error
        raise


def _reason(error: tf.errors.OpError) -> str:
    """Returns the sentence of an error message, without the nodes and source lines around it."""
    lines = [re.sub(r"\{\{.*?\}\}|\[(Op|\[).*", "", line).strip() for line in error.message.splitlines()]
    sentences = [line for line in lines if line and not _AROUND_REASON.match(line)]
    reason = sentences[0].rsplit("assertion failed:", 1)[-1].strip() if sentences else type(error).__name__
    return f"{reason[:200].rstrip('.')}."


def describe() -> str:
    """Returns the machine in a few words: its GPUs, or its processor, cores and the limit of threads."""
    return ", ".join(gpu_names()) or describe_processor()


def gpu_names() -> list[str]:
    """Returns the names of the GPUs that TensorFlow lists, such as 'NVIDIA A100-SXM4-80GB'."""
    gpus = tf.config.list_physical_devices("GPU")
    return [tf.config.experimental.get_device_details(gpu).get("device_name", "GPU") for gpu in gpus]


def describe_processor() -> str:
    """Returns the processor, its cores and the limit of threads in a few words."""
    threads = tf.config.threading.get_intra_op_parallelism_threads()  # 0 for no limit
    limit = f", {threads} thread{'s' if threads > 1 else ''}" if threads else ""
    return f"{_processor()}, {os.cpu_count()} cores{limit}"


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
