"""The places of an engine: where runs compute side by side, and on which GPUs."""

from __future__ import annotations

import collections
import dataclasses
import itertools
import os
from collections.abc import Mapping, Sequence

from rethink_keras.errors import UserError
from rethink_keras.system import machine

VISIBLE = "CUDA_VISIBLE_DEVICES"
NO_GPU = {VISIBLE: "-1"}
"""Environment variables of a run that computes on processors, on whatever machine. CUDA stops at a number that is no
GPU's, and finds none before it."""
GROWING_MEMORY = {"TF_FORCE_GPU_ALLOW_GROWTH": "true"}
"""Environment variables of a run that shares a GPU: TensorFlow takes a GPU's whole memory at once otherwise."""


@dataclasses.dataclass(frozen=True)
class Place:
    """Where one run after another computes, side by side with those of the other places.

    Attributes:
        environment: Environment variables of the runs.
        shares_gpu: Whether other runs compute on the same GPU. Memory that a run lacks may then be free later.
    """

    environment: Mapping[str, str] = dataclasses.field(default_factory=dict)
    shares_gpu: bool = False


def cores_each(runs: int) -> int:
    """Returns the cores of this machine for each of some runs that compute side by side, at least 1.

    Runs side by side on one thread each get more done than one run on all threads, whose steps wait for each other
    (`benchmarks.sweep_throughput`). So with more runs than cores, each gets one.
    """
    return max(1, machine.cores() // runs)


def gpus() -> list[str]:
    """Returns the GPUs that a process of this machine sees, each as CUDA_VISIBLE_DEVICES takes it.

    Raises:
        UserError: CUDA_VISIBLE_DEVICES does not name a GPU that TensorFlow has found.
    """
    import tensorflow as tf

    devices = tf.config.list_physical_devices("GPU")
    return named_gpus([int(device.name.rsplit(":", 1)[-1]) for device in devices], os.environ.get(VISIBLE))


def named_gpus(numbers: Sequence[int], visible: str | None) -> list[str]:
    """Returns the names of GPUs for the environment of a run.

    Args:
        numbers: Numbers of the GPUs in TensorFlow, which counts those that this process may use, from 0.
        visible: CUDA_VISIBLE_DEVICES of this process: its entries are GPUs' numbers on the machine or their UUIDs, in
            TensorFlow's order. None for all GPUs of the machine.

    Raises:
        UserError: A GPU has no entry.
    """
    if visible is None:
        return [str(number) for number in numbers]
    entries = [entry.strip() for entry in visible.split(",")]
    if numbers and max(numbers) >= len(entries):
        raise UserError(
            f"{VISIBLE} is {visible!r}, which has no entry for GPU {max(numbers)} of TensorFlow. Name each GPU by an "
            "entry of its own, or unset it."
        )
    return [entries[number] for number in numbers]


def places(count: int, gpus: Sequence[str]) -> list[Place]:
    """Returns places for runs side by side, each of which has one of the GPUs in turn.

    Args:
        count: How many runs compute side by side.
        gpus: Names of the GPUs; empty without any.
    """
    if not gpus:
        return [Place() for _ in range(count)]
    taken = list(itertools.islice(itertools.cycle(gpus), count))
    runs_on = collections.Counter(taken)
    return [Place({VISIBLE: gpu, **GROWING_MEMORY}, shares_gpu=runs_on[gpu] > 1) for gpu in taken]
