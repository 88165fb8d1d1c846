"""How many threads a run gets, and on which GPU it computes."""

from __future__ import annotations

import itertools

from rethink_keras.system import machine


def threads_per_run(requested: int | str, earlier: int | None, runs: int) -> int:
    """Returns the processor threads of each run.

    Runs side by side on one thread each get more done than one run on all threads, whose steps wait for each other
    (`benchmarks.sweep_throughput`). So 'auto' divides the cores among the runs: with more runs than cores, each gets
    one.

    Args:
        requested: Number of threads, or 'auto'.
        earlier: Threads with which the sweep or search in the folder began; None for a new one. The last bits of
            convolutions depend on the number of threads, so 'auto' keeps it on every machine: runs of one table stay
            comparable, and a run resumes to the bits that it would have had.
        runs: How many runs there can be.
    """
    if isinstance(requested, int):
        return requested
    return earlier or max(1, machine.cores() // runs)


def gpus() -> list[str]:
    """Returns the numbers of the GPUs that a process of this machine sees, as CUDA_VISIBLE_DEVICES takes them."""
    import tensorflow as tf

    return [device.name.rsplit(":", 1)[-1] for device in tf.config.list_physical_devices("GPU")]


def environments(count: int, gpus: list[str]) -> list[dict[str, str]]:
    """Returns environment variables for runs side by side, which assign each to one of the GPUs in turn.

    Args:
        count: How many runs compute side by side.
        gpus: Numbers of the GPUs; empty without any.
    """
    if not gpus:
        return [{} for _ in range(count)]
    # TensorFlow takes a GPU's whole memory at once, unless growth is allowed: runs may share one.
    shared = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}
    return [{"CUDA_VISIBLE_DEVICES": gpu, **shared} for gpu in itertools.islice(itertools.cycle(gpus), count)]
