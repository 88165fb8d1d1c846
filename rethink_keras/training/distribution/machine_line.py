"""What a run computes on, in words for its log."""

from __future__ import annotations

import tensorflow as tf

from rethink_keras.system import machine
from rethink_keras.training.distribution import devices


def device_words(strategy: tf.distribute.Strategy | None, precision: str) -> str:
    """Returns the devices that train a network, the threads of a processor, and the precision.

    Args:
        strategy: Of the run; None for one device.
        precision: One of `devices.PRECISIONS`.
    """
    return f"{_devices(strategy)}, {precision}"


def theory_line() -> str:
    """Returns what computes an experiment of sections 4 and 5, in a sentence.

    Equations are solved by NumPy and SciPy on the processor. TensorFlow computes features and networks.
    """
    gpus = devices.gpu_names()
    features = f"; features and networks on {gpus[0]}" if gpus else ""
    return f"Computing on {devices.describe_processor()}{features}."


def _devices(strategy: tf.distribute.Strategy | None) -> str:
    gpus = devices.gpu_names()
    here = len(strategy.extended.worker_devices) if strategy else 1
    replicas = strategy.num_replicas_in_sync if strategy else 1
    if not gpus:
        used = _processor() + (f", as {here} devices" if here > 1 else "")
    elif here > 1:
        used = f"{here} GPUs ({', '.join(gpus)})"
    elif len(gpus) > 1:
        used = f"one GPU ({gpus[0]}) of {len(gpus)}; train.strategy = 'mirrored' takes all"
    else:
        used = f"one GPU ({gpus[0]})"
    return used + (f", one of {replicas} workers" if replicas > here else "")


def _processor() -> str:
    """Returns the processor, its cores and the number of threads that TensorFlow uses."""
    if tf.config.threading.get_intra_op_parallelism_threads():
        return devices.describe_processor()  # which names a limit
    threads = machine.threads()
    return f"{devices.describe_processor()}, {threads} thread{'s' if threads > 1 else ''}"
