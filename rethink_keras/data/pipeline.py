"""One split as the network is fed: standardized, augmented, ordered and batched by tf.data.

What does not change from epoch to epoch is computed once and lies ready in memory; without augmentation that is
the standardized image itself, and a batch is one gather.
"""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from rethink_keras.data import augmentation as augmenting
from rethink_keras.data import preprocessing as preparing
from rethink_keras.data import random_bits
from rethink_keras.data.augmentation import Augmentation
from rethink_keras.data.batches import WHOLE_BATCH, Batches, BatchShard
from rethink_keras.data.dataset_options import options
from rethink_keras.data.random_bits import Stream
from rethink_keras.data.randomized import RandomizedSplit
from rethink_keras.errors import UserError

CHUNK = 1000  # examples worked on at a time while the images are made ready
NO_AUGMENTATION = Augmentation()


class Pipeline(Batches):
    """Batches of a split in memory.

    Args:
        split: randomized examples.
        augmentation: of training batches; evaluation never augments.
        seed: of epoch order and augmentation.
        shard: the part of each batch that is computed here.

    Raises:
        UserError: if a random crop has no room, or colours are to be distorted.
    """

    def __init__(
        self,
        split: RandomizedSplit,
        augmentation: Augmentation = NO_AUGMENTATION,
        seed: int = 0,
        shard: BatchShard = WHOLE_BATCH,
    ):
        self.split = split
        self.augmentation = augmentation
        self.seed = seed
        self.shard = shard
        self.input_shape = split.input_shape
        self._crop = split.input_shape[:2]
        _check_augmentation(augmentation, split.source.images.shape[1:3], self._crop)
        with tf.device("CPU:0"):
            self._order = tf.Variable(tf.range(split.num_examples), trainable=False)
            self._labels = tf.constant(split.labels)
            self._ready: tf.Variable | None = None
            if not augmentation.in_force:
                self._ready = self._standardize_all()
                return
            self._whole = tf.constant(split.images_before_crop())
            self._maps = (
                [tf.constant(m) for m in split.maps_after_crop()] if split.permutes_after_crop else None
            )
            self._draws = [tf.Variable(drawn, trainable=False) for drawn in self._draw(0)]

    @property
    def num_examples(self) -> int:
        """The number of examples of this split."""
        return self.split.num_examples

    def order(self, epoch: int) -> np.ndarray:
        """What says in which order an epoch visits the examples."""
        return epoch_order(self.seed, epoch, self.num_examples)

    def set_epoch(self, epoch: int) -> None:
        """Settles the order and the augmentation of the batches that are read from now on."""
        self._order.assign(self.order(epoch))
        if self.augmentation.in_force:
            for variable, drawn in zip(self._draws, self._draw(epoch), strict=True):
                variable.assign(drawn)

    def training_batch(
        self, step: tf.Tensor, batch_size: int, *, whole: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """One batch of the epoch that `set_epoch` settled, for use inside a compiled function.

        Args:
            step: int32 scalar, from 0.
            batch_size: of all batches but the last.
            whole: that it is no shorter last batch, so that its shape can be compiled in. It is where that does not
                touch the images' last bits: without augmentation.

        Returns:
            Float32 images `[batch, height, width, channels]` and int64 labels `[batch]`, this worker's share.
        """
        positions = self._positions(step, batch_size)
        if whole and self._ready is not None:
            begin, end = self.shard.bounds(batch_size)
            positions = tf.ensure_shape(positions, (end - begin,))
        rows = tf.gather(self._order, positions)
        return self._training_images(rows), tf.gather(self._labels, rows)

    def training_batches(self, batch_size: int, first_step: int = 0) -> tf.data.Dataset:
        """The batches of the epoch that `set_epoch` settled, see `Batches`."""
        return self._dataset(lambda step: self.training_batch(step, batch_size), batch_size, first_step)

    def evaluation_batches(self, batch_size: int) -> tf.data.Dataset:
        """All examples once, see `Batches`."""
        size = min(batch_size, self.num_examples)

        def batch(step):
            rows = self._positions(step, size)
            return self._evaluation_images(rows), tf.gather(self._labels, rows)

        return self._dataset(batch, size, 0)

    def _positions(self, step, batch_size):
        start = step * batch_size
        begin, end = self.shard.bounds(tf.minimum(batch_size, self.num_examples - start))
        return tf.range(start + begin, start + end)

    def _dataset(self, batch, batch_size, first_step):
        steps_left = tf.data.Dataset.range(first_step, self.steps(batch_size), output_type=tf.int32)
        return steps_left.map(batch).prefetch(2).with_options(options())

    def _standardize_all(self) -> tf.Variable:
        # Chunk by chunk into one variable: the float images are the largest thing in memory, held once.
        split = self.split
        ready = tf.Variable(tf.zeros((split.num_examples, *split.input_shape)), trainable=False)
        for start in range(0, split.num_examples, CHUNK):
            rows = slice(start, min(start + CHUNK, split.num_examples))
            images = self._standardize(split.examples(rows).images)
            ready.scatter_update(tf.IndexedSlices(images, tf.range(rows.start, rows.stop)))
        return ready

    def _standardize(self, images):
        return preparing.standardize(images, self.split.preprocessing, self.split.statistics)

    def _training_images(self, rows):
        if self._ready is not None:
            return tf.gather(self._ready, rows)
        drawn = augmenting.Draws(*(tf.gather(d, rows) for d in self._draws))
        images = augmenting.apply(self.augmentation, tf.gather(self._whole, rows), drawn, self._crop)
        return self._standardize(self._permute(images, rows))

    def _evaluation_images(self, rows):
        if self._ready is not None:
            return tf.gather(self._ready, rows)
        images = preparing.center_crop(tf.gather(self._whole, rows), *self._crop)
        return self._standardize(self._permute(images, rows))

    def _permute(self, cropped, rows):
        """The permutation after the crop, for images `[batch, height, width, channels]`."""
        if self._maps is None:
            return cropped
        affected, permutations = self._maps
        height, width, channels = self.split.input_shape
        flat = tf.reshape(cropped, (-1, height * width, channels))
        if permutations.shape[0] == 1:
            permuted = tf.gather(flat, permutations[0], axis=1)
        else:
            permuted = tf.gather(flat, tf.gather(permutations, rows), axis=1, batch_dims=1)
        chosen = tf.where(tf.gather(affected, rows)[:, tf.newaxis, tf.newaxis], permuted, flat)
        return tf.reshape(chosen, (-1, height, width, channels))

    def _draw(self, epoch):
        source = self.split.source
        size = source.images.shape[1:3]
        return augmenting.draw(self.augmentation, self.seed, epoch, source.ids, size, self._crop)


def epoch_order(seed: int, epoch: int, count: int) -> np.ndarray:
    """The order in which an epoch visits the examples: int32 `[count]`, a function of (seed, epoch)."""
    return random_bits.permutation(seed, Stream.EPOCH_ORDER, 0, count, epoch).astype(np.int32)


def _check_augmentation(how: Augmentation, image_size, crop) -> None:
    if how.random_crop and not how.padding and tuple(image_size) == tuple(crop):
        raise UserError(
            f"A random crop of {crop[0]} x {crop[1]} pixels has no room in images of {image_size[0]} x "
            f"{image_size[1]}. Set preprocessing.crop smaller, or augmentation.padding = 4."
        )
    if how.color_distortion:
        raise UserError("Colour distortion is for ImageNet. Leave augmentation.color_distortion out.")
