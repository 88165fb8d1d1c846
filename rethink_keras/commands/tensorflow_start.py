"""Starts TensorFlow without the messages that it prints on every machine without a GPU."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import tempfile
from collections.abc import Iterator

# TensorFlow 2.21 prints these lines while it is imported and looks for GPUs. No setting silences the first three: the
# C++ part prints them before it reads TF_CPP_MIN_LOG_LEVEL (https://github.com/tensorflow/tensorflow/issues/100442),
# and TF_ENABLE_ONEDNN_OPTS=0 would change results. The last is printed as an error where there is no GPU driver, or no
# GPU that this process may use. The level that hides it would hide every other error of a run, too.
_HARMLESS = re.compile(
    rb"All log messages before absl::InitializeLog\(\)|oneDNN custom operations are on|Could not find cuda drivers|"
    rb"failed call to cuInit: .*(UNKNOWN ERROR \(303\)|CUDA_ERROR_NO_DEVICE)"
)


def start_tensorflow(debug: bool = False, threads: int | None = None) -> None:
    """Imports TensorFlow and Keras and finds the devices.

    What TensorFlow prints to stderr meanwhile is shown at the end, without the lines known to be harmless.

    Args:
        debug: Whether to show everything at once, as TensorFlow prints it. A process that TensorFlow aborts, such as on
            a processor that lacks instructions that it needs, shows its message only then.
        threads: Processor threads that TensorFlow may use; None for all.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # warnings of the C++ part
    with contextlib.nullcontext() if debug else _filtered_stderr():
        import keras  # noqa: F401
        import tensorflow as tf

        if threads:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        if "TF_CONFIG" not in os.environ:  # workers must find each other before TensorFlow finds devices
            tf.config.list_logical_devices()
    import absl.logging

    if not debug:
        absl.logging.set_verbosity(absl.logging.ERROR)
        logging.getLogger("tensorflow").setLevel(logging.ERROR)


@contextlib.contextmanager
def _filtered_stderr() -> Iterator[None]:
    """Redirects the process's stderr, also of C++ code, to a file, and prints the lines that matter at the end."""
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
                if not _HARMLESS.search(line):
                    os.write(2, line)
