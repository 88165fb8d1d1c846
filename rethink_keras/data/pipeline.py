"""One split in memory as batches: standardized, augmented if configured, in the order of the epoch.

What does not change from epoch to epoch is computed once. Without augmentation that is the standardized image
itself, and a batch is one gather.

The data live in the memory of one device, so that the training step can gather its batches there. On a GPU, integers
that depend on the data are int64: TensorFlow computes int32 on the host, and a step would wait for it.
"""

from __future__ import annotations

import abc
from collections.abc import Iterator

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
HOST = "CPU:0"


def make_pipeline(
    split: RandomizedSplit,
    augmentation: Augmentation = NO_AUGMENTATION,
    seed: int = 0,
    shard: BatchShard = WHOLE_BATCH,
    device: str = HOST,
) -> Pipeline:
    """Returns the batches of a split in memory.

    Args:
        split: Randomized examples.
        augmentation: Of training batches; evaluation never augments.
        seed: Seed of epoch order and augmentation.
        shard: The part of each batch that is computed here.
        device: The device whose memory has the data, such as 'GPU:0'.

    Raises:
        UserError: The augmentation is not possible for these images.
    """
    if augmentation.in_force:
        return AugmentedPipeline(split, augmentation, seed, shard, device)
    return StandardizedPipeline(split, seed, shard, device)


class Pipeline(Batches):
    """Batches of a split in memory, see `make_pipeline`.

    Attributes:
        split: Randomized examples.
        augmentation: Of training batches.
        device: The device whose memory has the data.
    """

    augmentation = NO_AUGMENTATION

    def __init__(
        self, split: RandomizedSplit, seed: int = 0, shard: BatchShard = WHOLE_BATCH, device: str = HOST
    ):
        super().__init__(split.num_examples, split.input_shape, seed, shard)
        self.split = split
        self.device = device
        with tf.device(device):
            self._order = tf.Variable(tf.range(split.num_examples, dtype=tf.int64), trainable=False)
            self._labels = tf.constant(split.labels)

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
        begin, end = self._bounds(step, batch_size)
        # A slice of the variable, not a gather: after a gather, every read of the whole variable copies it.
        rows = self._order[begin:end]
        # With augmentation, a static number of images in the compiled step changes the images' last bits.
        if whole and not self.augmentation.in_force:
            first, after = self.shard.bounds(batch_size)
            rows = tf.ensure_shape(rows, (after - first,))
        return self._training_images(rows), tf.gather(self._labels, rows)

    def training_batches(self, batch_size: int, first_step: int = 0) -> tf.data.Dataset:
        """Returns the batches of the present epoch, see `Batches`."""
        return self._dataset(lambda step: self.training_batch(step, batch_size), batch_size, first_step)

    def evaluation_batches(self, batch_size: int) -> tf.data.Dataset:
        """Returns all examples once, see `Batches`."""
        return self._dataset(
            lambda step: self.evaluation_batch(*self._bounds(step, batch_size)), batch_size, 0
        )

    def evaluation_batch(self, begin: tf.Tensor, end: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the examples from `begin` to before `end`, not augmented, for use inside a compiled function.

        Args:
            begin: int32 scalar, in the order of the ids.
            end: int32 scalar.

        Returns:
            As `training_batch`.
        """
        rows = tf.range(tf.cast(begin, tf.int64), tf.cast(end, tf.int64))
        return self._evaluation_images(rows), tf.gather(self._labels, rows)

    def eager_batches(self, batch_size: int, count: int | None = None) -> Iterator[tuple]:
        """Yields the batches of `evaluation_batches` one by one, see `Batches`."""
        read = tf.function(self.evaluation_batch)
        with tf.device(self.device):
            for step in range(self.steps(batch_size))[:count]:
                begin = step * batch_size
                yield read(tf.constant(begin), tf.constant(min(begin + batch_size, self.num_examples)))

    @abc.abstractmethod
    def _training_images(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns the network's input for int64 rows `[batch]` of the present epoch."""

    @abc.abstractmethod
    def _evaluation_images(self, rows: tf.Tensor) -> tf.Tensor:
        """Returns the network's input for int64 rows `[batch]`, not augmented."""

    def _bounds(self, step, batch_size):
        """Returns the positions at which this worker's part of a batch begins and ends: int32."""
        start = step * batch_size
        begin, end = self.shard.bounds(tf.minimum(batch_size, self.num_examples - start))
        return start + begin, start + end

    def _dataset(self, batch, batch_size, first_step):
        with tf.device(HOST):
            steps_left = tf.data.Dataset.range(first_step, self.steps(batch_size), output_type=tf.int32)
            return steps_left.map(batch).prefetch(2).with_options(options())


class StandardizedPipeline(Pipeline):
    """Batches without augmentation: every image is randomized, cropped and standardized once."""

    def __init__(
        self, split: RandomizedSplit, seed: int = 0, shard: BatchShard = WHOLE_BATCH, device: str = HOST
    ):
        super().__init__(split, seed, shard, device)
        self._images = _standardized(split)
        if device != HOST:
            with tf.device(device):
                self._images = tf.Variable(self._images, trainable=False)

    def _training_images(self, rows: tf.Tensor) -> tf.Tensor:
        return tf.gather(self._images, rows)

    _evaluation_images = _training_images


class AugmentedPipeline(Pipeline):
    """Batches with augmentation: images are augmented, permuted and standardized as they are read.

    Args:
        split: Randomized examples.
        augmentation: Of training batches.
        seed: Seed of epoch order and augmentation.
        shard: The part of each batch that is computed here.
        device: The device whose memory has the data.

    Raises:
        UserError: The augmentation is not possible for these images.
    """

    def __init__(
        self,
        split: RandomizedSplit,
        augmentation: Augmentation,
        seed: int,
        shard: BatchShard,
        device: str = HOST,
    ):
        super().__init__(split, seed, shard, device)
        self.augmentation = augmentation
        self._crop = split.input_shape[:2]
        _check_augmentation(augmentation, split.source.images.shape[1:3], self._crop)
        with tf.device(device):
            # A variable: on a GPU, TensorFlow gathers uint8 from variables only.
            self._whole_images = tf.Variable(split.images_before_crop(), trainable=False)
            self._draws = [tf.Variable(drawn, trainable=False) for drawn in self._draw(0)]
            if split.randomization.permutes_after_crop:
                affected, permutations = split.maps_after_crop()
                self._affected = tf.constant(affected)
                self._is_shared = len(permutations) == 1  # one permutation for all images
                self._permutations = tf.Variable(_compact(permutations), trainable=False)

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
        images = self.augmentation.apply(self._gather_whole(rows), drawn, self._crop)
        return self.split.standardize(self._permute(images, rows))

    def _evaluation_images(self, rows: tf.Tensor) -> tf.Tensor:
        images = center_crop(self._gather_whole(rows), *self._crop)
        return self.split.standardize(self._permute(images, rows))

    def _gather_whole(self, rows):
        images = tf.gather(self._whole_images, rows)
        # Few operations on uint8 have kernels for GPUs. On the host, a quarter of the bytes moves faster.
        return images if self.device == HOST else tf.cast(images, tf.float32)

    def _permute(self, cropped, rows):
        """Returns cropped images `[batch, height, width, channels]`, permuted if that follows the crop.

        A permutation belongs to positions of the network's input: it must not move with a random crop. So it cannot
        be applied to the stored whole images once and for all.
        """
        if not self.split.randomization.permutes_after_crop:
            return cropped
        height, width, channels = self.input_shape
        flat = tf.reshape(cropped, (-1, height * width, channels))
        chosen = tf.gather(self._permutations, tf.zeros_like(rows) if self._is_shared else rows)
        permuted = tf.gather(flat, tf.cast(chosen, tf.int64), axis=1, batch_dims=1)
        affected = tf.gather(self._affected, rows)[:, tf.newaxis, tf.newaxis]
        return tf.reshape(tf.where(affected, permuted, flat), (-1, height, width, channels))


def _standardized(split: RandomizedSplit) -> tf.Variable:
    """Returns all images of a split, standardized, in the host's memory.

    The float images are the largest thing in memory. They are written chunk by chunk, so that no second copy exists.
    """
    with tf.device(HOST):
        images = tf.Variable(tf.zeros((split.num_examples, *split.input_shape)), trainable=False)
        for start in range(0, split.num_examples, CHUNK):
            rows = slice(start, min(start + CHUNK, split.num_examples))
            chunk = split.standardize(split.examples(rows).images)
            images.scatter_update(tf.IndexedSlices(chunk, tf.range(rows.start, rows.stop)))
    return images


def _compact(permutations: np.ndarray) -> np.ndarray:
    """Returns permutations in the smallest integers that have them and that a GPU gathers, which int32 are not."""
    return permutations.astype(np.uint16 if permutations.shape[1] <= 2**16 else np.int64)


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
