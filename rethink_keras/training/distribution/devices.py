"""The devices of a run: distribution strategy, errors of the device, the machine in words."""

from __future__ import annotations

import contextlib
import os
import platform
import re
from pathlib import Path

import tensorflow as tf

from rethink_keras.errors import DataNotAvailableError, OutOfMemoryError, UserError, WorkerLostError

STRATEGIES = ("auto", "none", "mirrored", "multi_worker")
PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")
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


def choose_strategy(name: str) -> tf.distribute.Strategy | None:
    """Returns the distribution strategy of a run on one host; None for one device.

    Args:
        name: 'auto' for `MirroredStrategy` with two or more GPUs and None otherwise, since with one replica the
            strategy is exact but slower; 'none'; 'mirrored' for all GPUs, or all logical CPU devices.
    """
    gpus = tf.config.list_logical_devices("GPU")
    if name == "none" or (name == "auto" and len(gpus) < 2):
        return None
    devices = gpus or tf.config.list_logical_devices("CPU")
    return tf.distribute.MirroredStrategy([device.name for device in devices])


def check_batch_divides(strategy: tf.distribute.Strategy | None, batch_size: int, examples: int) -> None:
    """Raises UserError unless every batch of an epoch splits evenly: an uneven split changes gradients."""
    replicas = strategy.num_replicas_in_sync if strategy else 1
    last = examples % batch_size
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
