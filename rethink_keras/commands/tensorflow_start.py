"""Starts TensorFlow without the messages that it prints on every machine without a GPU."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator

from rethink_keras.system import nvidia

# TensorFlow 2.21 prints these lines while it is imported and looks for GPUs. No setting silences the first three: the
# C++ part prints them before it reads TF_CPP_MIN_LOG_LEVEL (https://github.com/tensorflow/tensorflow/issues/100442),
# and TF_ENABLE_ONEDNN_OPTS=0 would change results. The last is printed as an error where there is no GPU driver, or no
# GPU that this process may use. The level that hides it would hide every other error of a run, too. Where there is a
# driver, `nvidia.missing_gpu` says in a sentence what a hidden line means.
_HARMLESS = re.compile(
    rb"All log messages before absl::InitializeLog\(\)|oneDNN custom operations are on|Could not find cuda drivers|"
    rb"failed call to cuInit: .*(UNKNOWN ERROR \(303\)|CUDA_ERROR_NO_DEVICE)"
)


def start_tensorflow(
    debug: bool = False, threads: int | None = None, *, driver: nvidia.Driver | None = None
) -> None:
    """Imports TensorFlow and Keras and finds the devices.

    What TensorFlow prints to stderr meanwhile is shown at the end, without the lines known to be harmless. If the
    machine has an NVIDIA driver and TensorFlow finds no GPU, a note says why, in words.

    Args:
        debug: Whether to show everything at once, as TensorFlow prints it. A process that TensorFlow aborts, such as on
            a processor that lacks instructions that it needs, shows its message only then. With an NVIDIA driver it
            prints all that it has to say about GPUs.
        threads: Processor threads that TensorFlow may use; None for all.
        driver: NVIDIA's driver; None for that of this machine.
    """
    driver = driver or nvidia.Driver()
    has_driver = driver.is_installed
    if has_driver:
        nvidia.preload_cusolver()
    # Level 2 hides warnings of the C++ part.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0" if debug and has_driver else "2")
    messages = bytearray()
    with contextlib.nullcontext() if debug else _filtered_stderr(messages):
        import keras  # noqa: F401
        import tensorflow as tf

        if threads:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        if "TF_CONFIG" not in os.environ:  # workers must find each other before TensorFlow finds devices
            tf.config.list_logical_devices()
    import absl.logging

    if (
        has_driver
        and not debug
        and "TF_CONFIG" not in os.environ
        and not tf.config.list_physical_devices("GPU")
    ):
        build = tf.sysconfig.get_build_info()
        note = nvidia.missing_gpu(
            driver,
            bytes(messages),
            cuda_version=build.get("cuda_version") if build["is_cuda_build"] else None,
            visible_devices=os.environ.get("CUDA_VISIBLE_DEVICES"),
        )
        if note:
            print(f"Note: {note}", file=sys.stderr, flush=True)
    if not debug:
        absl.logging.set_verbosity(absl.logging.ERROR)
        logging.getLogger("tensorflow").setLevel(logging.ERROR)


@contextlib.contextmanager
def _filtered_stderr(messages: bytearray) -> Iterator[None]:
    """Redirects the process's stderr, also of C++ code, to a file, and prints the lines that matter at the end.

    Args:
        messages: All lines are appended to it.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            file.seek(0)
            for line in file:
                messages += line
                if not _HARMLESS.search(line):
                    os.write(2, line)
