"""One split in memory as batches: standardized, augmented if configured, in the order of the epoch.

What does not change from epoch to epoch is computed once. Without augmentation that is the standardized image
itself, and a batch is one gather.
"""

from __future__ import annotations

import abc
from typing import ClassVar

import numpy as np
import tensorflow as tf

from rethink_keras.data import random_bits
from rethink_keras.data.augmentation import NO_AUGMENTATION, Augmentation, Draws
from rethink_keras.data.batches import WHOLE_BATCH, Batches, BatchShard
from rethink_keras.data.dataset_options import options
from rethink_keras.data.preprocessing import center_crop
from rethink_keras.data.random_bits import Stream
from rethink_keras.data.randomized_split import RandomizedSplit
from rethink_keras.errors import UserError

CHUNK = 1000  # images standardized at a time


def make_pipeline(
    split: RandomizedSplit,
    augmentation: Augmentation = NO_AUGMENTATION,
    seed: int = 0,
    shard: BatchShard = WHOLE_BATCH,
) -> Pipeline:
    """Returns the batches of a split in memory.

    Args:
        split: Randomized examples.
        augmentation: Of training batches; evaluation never augments.
        seed: Seed of epoch order and augmentation.
        shard: The part of each batch that is computed here.

    Raises:
        UserError: The augmentation is not possible for these images.
    """
    if augmentation.in_force:
        return AugmentedPipeline(split, augmentation, seed, shard)
    return StandardizedPipeline(split, seed, shard)


class Pipeline(Batches):
    """Batches of a split in memory, see `make_pipeline`.

    Attributes:
        split: Randomized examples.
        augmentation: Of training batches.
    """

    augmentation = NO_AUGMENTATION
    # Whether a static number of images in the compiled step leaves the last bits of the images as they are.
    _static_shape: ClassVar[bool]

    def __init__(self, split: RandomizedSplit, seed: int = 0, shard: BatchShard = WHOLE_BATCH):
        self.split = split
        self.seed = seed
        self.shard = shard
        self.input_shape = split.input_shape
        with tf.device("CPU:0"):
            self._order = tf.Variable(tf.range(split.num_examples), trainable=False)
            self._labels = tf.constant(split.labels)

    @property
    def num_examples(self) -> int:
        """The number of examples of this split."""
        return self.split.num_examples

    def order(self, epoch: int) -> np.ndarray:
        """Returns the rows of the split in the order of an epoch: int32 `[examples]`."""
        return epoch_order(self.seed, epoch, self.num_examples)

    def set_epoch(self, epoch: int) -> None:
        """Sets the order of the training batches that are read from now on."""
        self._order.assign(self.order(epoch))

    def training_batch(
        self, step: tf.Tensor, batch_size: int, *, whole: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns one batch of the present epoch, for use inside a compiled function.

        Args:
            step: int32 scalar, from 0.
            batch_size: Examples of every batch but the last.
            whole: The step has a batch of the full size, which a pipeline may use as a static shape.

        Returns:
            Float32 images `[batch, height, width, channels]` and int64 labels `[batch]`, this worker's part.
        """
        positions = self._positions(step, batch_size)
        if whole and self._static_shape:
            begin, end = self.shard.bounds(batch_size)
            positions = tf.ensure_shape(positions, (end - begin,))
        rows = tf.gather(self._order, positions)
        return self._training_images(rows), tf.gather(self._labels, rows)

    def training_batches(self, batch_size: int, first_step: int = 0) -> tf.data.Dataset:
        """Returns the batches of the present epoch, see `Batches`."""
        return self._dataset(lambda step: self.training_batch(step, batch_size), batch_size, first_step)

    def evaluation_batches(self, batch_size: int) -> tf.data.Dataset:
        """Returns all examples once, see `Batches`."""
        size = min(batch_size, self.num_examples)

        def batch(step):
            rows = self._positions(step, size)
            return self._evaluation_images(rows), tf.gather(self._labels, rows)

        return self._dataset(batch, size, 0)

    @abc.abstractmethod
    def _training_images(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns the network's input for int32 rows `[batch]` of the present epoch."""

    @abc.abstractmethod
    def _evaluation_images(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns the network's input for int32 rows `[batch]`, not augmented."""

    def _positions(self, step, batch_size):
        start = step * batch_size
        begin, end = self.shard.bounds(tf.minimum(batch_size, self.num_examples - start))
        return tf.range(start + begin, start + end)

    def _dataset(self, batch, batch_size, first_step):
        steps_left = tf.data.Dataset.range(first_step, self.steps(batch_size), output_type=tf.int32)
        return steps_left.map(batch).prefetch(2).with_options(options())


class StandardizedPipeline(Pipeline):
    """Batches without augmentation: every image is randomized, cropped and standardized once."""

    _static_shape = True

    def __init__(self, split: RandomizedSplit, seed: int = 0, shard: BatchShard = WHOLE_BATCH):
        super().__init__(split, seed, shard)
        with tf.device("CPU:0"):
            # The float images are the largest thing in memory. They are written chunk by chunk, so that no second
            # copy exists.
            self._images = tf.Variable(tf.zeros((split.num_examples, *split.input_shape)), trainable=False)
            for start in range(0, split.num_examples, CHUNK):
                rows = slice(start, min(start + CHUNK, split.num_examples))
                images = split.standardize(split.examples(rows).images)
                self._images.scatter_update(tf.IndexedSlices(images, tf.range(rows.start, rows.stop)))

    def _training_images(self, rows: tf.Tensor) -> tf.Tensor:
        return tf.gather(self._images, rows)

    def _evaluation_images(self, rows: tf.Tensor) -> tf.Tensor:
        return tf.gather(self._images, rows)


class AugmentedPipeline(Pipeline):
    """Batches with augmentation: images are augmented, permuted and standardized as they are read.

    Args:
        split: Randomized examples.
        augmentation: Of training batches.
        seed: Seed of epoch order and augmentation.
        shard: The part of each batch that is computed here.

    Raises:
        UserError: The augmentation is not possible for these images.
    """

    _static_shape = False

    def __init__(
        self,
        split: RandomizedSplit,
        augmentation: Augmentation,
        seed: int = 0,
        shard: BatchShard = WHOLE_BATCH,
    ):
        super().__init__(split, seed, shard)
        self.augmentation = augmentation
        self._crop = split.input_shape[:2]
        _check_augmentation(augmentation, split.source.images.shape[1:3], self._crop)
        with tf.device("CPU:0"):
            self._whole_images = tf.constant(split.images_before_crop())
            self._draws = [tf.Variable(drawn, trainable=False) for drawn in self._draw(0)]
            if split.randomization.permutes_after_crop:
                self._affected, self._permutations = map(tf.constant, split.maps_after_crop())

    def set_epoch(self, epoch: int) -> None:
        """Sets the order and the augmentation of the training batches that are read from now on."""
        super().set_epoch(epoch)
        for variable, drawn in zip(self._draws, self._draw(epoch), strict=True):
            variable.assign(drawn)

    def _draw(self, epoch: int) -> Draws:
        source = self.split.source
        return self.augmentation.draw(self.seed, epoch, source.ids, source.images.shape[1:3], self._crop)

    def _training_images(self, rows: tf.Tensor) -> tf.Tensor:
        drawn = Draws(*(tf.gather(d, rows) for d in self._draws))
        images = self.augmentation.apply(tf.gather(self._whole_images, rows), drawn, self._crop)
        return self.split.standardize(self._permute(images, rows))

    def _evaluation_images(self, rows: tf.Tensor) -> tf.Tensor:
        images = center_crop(tf.gather(self._whole_images, rows), *self._crop)
        return self.split.standardize(self._permute(images, rows))

    def _permute(self, cropped, rows):
        """Returns cropped images `[batch, height, width, channels]`, permuted if that follows the crop.

        A permutation belongs to positions of the network's input: it must not move with a random crop. So it cannot
        be applied to the stored whole images once and for all.
        """
        if not self.split.randomization.permutes_after_crop:
            return cropped
        height, width, channels = self.input_shape
        flat = tf.reshape(cropped, (-1, height * width, channels))
        if self._permutations.shape[0] == 1:  # shared by all images
            permuted = tf.gather(flat, self._permutations[0], axis=1)
        else:
            permuted = tf.gather(flat, tf.gather(self._permutations, rows), axis=1, batch_dims=1)
        affected = tf.gather(self._affected, rows)[:, tf.newaxis, tf.newaxis]
        return tf.reshape(tf.where(affected, permuted, flat), (-1, height, width, channels))


def epoch_order(seed: int, epoch: int, count: int) -> np.ndarray:
    """Returns the rows in the order of an epoch: int32 `[count]`, a function of (seed, epoch)."""
    return random_bits.permutation(seed, Stream.EPOCH_ORDER, 0, count, epoch).astype(np.int32)


def _check_augmentation(augmentation: Augmentation, image_size, crop) -> None:
    if augmentation.random_crop and not augmentation.padding and tuple(image_size) == tuple(crop):
        raise UserError(
            f"A random crop of {crop[0]} x {crop[1]} pixels has no room in images of {image_size[0]} x "
            f"{image_size[1]}. Set preprocessing.crop smaller, or augmentation.padding = 4."
        )
    if augmentation.color_distortion:
        raise UserError("Colour distortion is for ImageNet. Leave augmentation.color_distortion out.")
