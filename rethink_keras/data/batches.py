"""The interface of training to the data: one split in batches, from memory or from disk."""

from __future__ import annotations

import abc
import copy
import dataclasses
from collections.abc import Iterator
from typing import TypeVar

import numpy as np
import tensorflow as tf

Size = TypeVar("Size", int, tf.Tensor)


@dataclasses.dataclass(frozen=True)
class BatchShard:
    """The part of every batch that one worker computes: one of `workers` consecutive parts of nearly equal size.

    Attributes:
        index: Index of this part, from 0.
        workers: Number of parts.
    """

    index: int = 0
    workers: int = 1

    def bounds(self, size: Size) -> tuple[Size, Size]:
        """Returns begin and end of this part in a batch of `size` examples."""
        return part_bounds(size, self.index, self.workers)


def part_bounds(size: Size, index: Size, parts: int) -> tuple[Size, Size]:
    """Returns begin and end of one of the consecutive parts, of nearly equal size, of `size` examples."""
    return size * index // parts, size * (index + 1) // parts


WHOLE_BATCH = BatchShard()


class Batches(abc.ABC):
    """Batches of one split, a pure function of the split, the seed and the epoch.

    Attributes:
        num_examples: The number of examples of this split.
        input_shape: `(height, width, channels)` of the network's input.
        seed: Seed of epoch order and augmentation.
        shard: The part of each batch that is computed here. Batch sizes and steps are those of whole batches.
    """

    def __init__(self, num_examples: int, input_shape: tuple[int, int, int], seed: int, shard: BatchShard):
        self.num_examples = num_examples
        self.input_shape = input_shape
        self.seed = seed
        self.shard = shard

    def steps(self, batch_size: int) -> int:
        """Returns the number of batches in an epoch, including the short last one."""
        return -(-self.num_examples // batch_size)

    @abc.abstractmethod
    def order(self, epoch: int) -> np.ndarray:
        """Returns an int32 array that determines the order of an epoch's examples, for its fingerprint."""

    @abc.abstractmethod
    def set_epoch(self, epoch: int) -> None:
        """Sets the order and the augmentation of the training batches that are read from now on.

        Datasets and compiled functions read them when an epoch begins, so that none is built again.
        """

    @abc.abstractmethod
    def training_batches(self, batch_size: int, first_step: int = 0) -> tf.data.Dataset:
        """Returns the batches of the present epoch from `first_step` on; the last may be short.

        Returns:
            Pairs of float32 images `[batch, height, width, channels]` and int64 labels `[batch]`.
        """

    @abc.abstractmethod
    def evaluation_batches(self, batch_size: int) -> tf.data.Dataset:
        """Returns all examples once, not augmented, in the order of their ids; elements as in `training_batches`."""

    def eager_batches(self, batch_size: int, count: int | None = None) -> Iterator[tuple]:
        """Yields the first `count` batches of `evaluation_batches`, whole on every worker, where the data are.

        Args:
            batch_size: Examples of a batch.
            count: None for all batches.

        Returns:
            Pairs of tensors as in `evaluation_batches`.
        """
        whole = copy.copy(self)
        whole.shard = WHOLE_BATCH
        yield from whole.evaluation_batches(batch_size).take(-1 if count is None else count)
