"""What the trainer knows of a pipeline, in memory or streamed: one split in batches."""

from __future__ import annotations

import abc
import copy
import dataclasses
from typing import TypeVar

import numpy as np
import tensorflow as tf

Size = TypeVar("Size", int, tf.Tensor)


@dataclasses.dataclass(frozen=True)
class BatchShard:
    """The part of every batch that one worker computes.

    A batch is cut into `workers` runs of neighbours, as equal as can be; `index` says which is this worker's.

    Attributes:
        index: from 0.
        workers: how many share a batch.
    """

    index: int = 0
    workers: int = 1

    def bounds(self, size: Size) -> tuple[Size, Size]:
        """Begin and end, within a batch of `size` examples, of this worker's."""
        return size * self.index // self.workers, size * (self.index + 1) // self.workers


WHOLE_BATCH = BatchShard()


class Batches(abc.ABC):
    """Batches of one split, a pure function of the split, the seed and the epoch.

    Attributes:
        input_shape: `(height, width, channels)` that the network sees.
        shard: the part of each batch that is computed here; all sizes and steps are those of whole batches.
    """

    input_shape: tuple[int, int, int]
    shard: BatchShard

    @property
    @abc.abstractmethod
    def num_examples(self) -> int:
        """The number of examples of this split."""

    def steps(self, batch_size: int) -> int:
        """Batches in an epoch, the short last one included."""
        return -(-self.num_examples // batch_size)

    @abc.abstractmethod
    def order(self, epoch: int) -> np.ndarray:
        """What says in which order an epoch visits the examples."""

    @abc.abstractmethod
    def set_epoch(self, epoch: int) -> None:
        """Settles the order and the augmentation of the batches that are read from now on."""

    @abc.abstractmethod
    def training_batches(self, batch_size: int, first_step: int = 0) -> tf.data.Dataset:
        """The batches of the epoch that `set_epoch` settled, from `first_step` on; the last may be short.

        Returns:
            Pairs of float32 images `[batch, height, width, channels]` and int64 labels `[batch]`.
        """

    @abc.abstractmethod
    def evaluation_batches(self, batch_size: int) -> tf.data.Dataset:
        """All examples once, not augmented, in the order of their ids; elements as in `training_batches`."""

    def first_whole_batches(self, batch_size: int, count: int) -> tf.data.Dataset:
        """The first `count` batches of `evaluation_batches`, whole for every worker, whatever its share is."""
        whole = copy.copy(self)
        whole.shard = WHOLE_BATCH
        return whole.evaluation_batches(batch_size).take(count)
