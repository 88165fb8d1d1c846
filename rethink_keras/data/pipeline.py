"""One split of a data set as the network is fed: randomized, preprocessed, augmented, batched by tf.data.

Everything that does not change from epoch to epoch is computed once and lies ready in memory; without
augmentation that is the standardized image itself, and a batch is one gather.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from rethink_keras.data import augmentation as augmenting
from rethink_keras.data import preprocessing as preparing
from rethink_keras.data import random_bits
from rethink_keras.data import randomization as randomizing
from rethink_keras.data.augmentation import Augmentation
from rethink_keras.data.preprocessing import Preprocessing
from rethink_keras.data.randomization import PixelStatistics, Randomization
from rethink_keras.data.random_bits import Stream
from rethink_keras.data.sources import ImageSet
from rethink_keras.errors import UserError

CHUNK = 1000  # examples worked on at a time while the images are made ready
NO_AUGMENTATION = Augmentation()


class Randomized(NamedTuple):
    """What the network is fed before standardization and without augmentation.

    Attributes:
        images: `[examples, height, width, channels]` in 0..255, uint8; float32 for Gaussian pixels.
        labels: int64 `[examples]`.
        original_labels: int64 `[examples]`.
        ids: int64 `[examples]`.
        corrupted: bool `[examples]`, this label was drawn anew.
    """

    images: np.ndarray
    labels: np.ndarray
    original_labels: np.ndarray
    ids: np.ndarray
    corrupted: np.ndarray


class Pipeline:
    """Batches of one split, a pure function of the configuration, the seed and the epoch.

    Args:
        source: the original examples.
        randomization: with its seed settled.
        preprocessing: crop and standardization.
        statistics: of the original training images.
        augmentation: for training batches; evaluation never augments.
        seed: of epoch order and augmentation.
    """

    def __init__(
        self,
        source: ImageSet,
        randomization: Randomization,
        preprocessing: Preprocessing,
        statistics: PixelStatistics,
        augmentation: Augmentation = NO_AUGMENTATION,
        seed: int = 0,
    ):
        self.source = source
        self.randomization = randomization
        self.preprocessing = preprocessing
        self.statistics = statistics
        self.augmentation = augmentation
        self.seed = seed
        self.input_shape = preprocessing.output_shape(source.images.shape[1:])
        self.labels, self.corrupted = randomizing.randomize_labels(
            randomization, source.labels, source.ids, source.num_classes, is_test=source.is_test
        )
        _check_augmentation(augmentation, source.images.shape[1:3], self.input_shape[:2])
        with tf.device("CPU:0"):
            self._order = tf.Variable(tf.range(len(source.ids)), trainable=False)
            self._labels = tf.constant(self.labels)
            self._ready: tf.Variable | None = None
            if not augmentation.in_force:
                self._ready = self._standardize_all()
            else:
                self._sources = tf.constant(self._randomized_before_crop(slice(None)))
                self._maps = self._maps_after_crop()
                self._draws = [tf.Variable(tf.constant(d), trainable=False) for d in self._draw(0)]

    @property
    def num_examples(self) -> int:
        """The number of examples of this split."""
        return len(self.labels)

    def steps(self, batch_size: int) -> int:
        """Batches in an epoch, the short last one included."""
        return -(-self.num_examples // batch_size)

    def begin_epoch(self, epoch: int) -> None:
        """Settles the order and the augmentation of the batches that are read from now on."""
        self._order.assign(epoch_order(self.seed, epoch, self.num_examples))
        if self.augmentation.in_force:
            for variable, drawn in zip(self._draws, self._draw(epoch)):
                variable.assign(drawn)

    def training_batches(self, batch_size: int, first_step: int = 0) -> tf.data.Dataset:
        """The batches of the epoch that `begin_epoch` settled, from `first_step` on; the last may be short.

        Returns:
            Pairs of float32 images `[batch, height, width, channels]` and int64 labels `[batch]`.
        """

        def batch(step):
            rows = self._order[step * batch_size : (step + 1) * batch_size]
            return self._training_images(rows), tf.gather(self._labels, rows)

        return self._dataset(batch, first_step, self.steps(batch_size))

    def evaluation_batches(self, batch_size: int) -> tf.data.Dataset:
        """All examples once, not augmented, in the order of their ids; elements as in `training_batches`."""

        def batch(step):
            rows = tf.range(step * batch_size, tf.minimum((step + 1) * batch_size, self.num_examples))
            return self._evaluation_images(rows), tf.gather(self._labels, rows)

        return self._dataset(batch, 0, self.steps(batch_size))

    def randomized(self, rows: slice = slice(None)) -> Randomized:
        """What the network is fed before standardization, without augmentation, for some rows."""
        height, width, _ = self.input_shape
        images = preparing.center_crop(self._randomized_before_crop(rows), height, width)
        if self._permutes_after_crop:
            images = self._randomize(images, rows)
        return Randomized(
            images, self.labels[rows], self.source.labels[rows], self.source.ids[rows], self.corrupted[rows]
        )

    def _dataset(self, batch, first_step, steps):
        options = tf.data.Options()
        options.deterministic = True
        # Under a strategy a batch is split over the replicas; the epoch's order is not to be dealt out again.
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
        options.experimental_warm_start = False  # not before begin_epoch
        steps_left = tf.data.Dataset.range(first_step, steps, output_type=tf.int32)
        parallel = tf.data.AUTOTUNE if self.augmentation.in_force else None
        return steps_left.map(batch, num_parallel_calls=parallel).prefetch(2).with_options(options)

    @property
    def _permutes_after_crop(self) -> bool:
        how = self.randomization
        return how.pixels in ("shuffled", "random") and how.permute == "after_crop"

    def _randomize(self, images, rows):
        ids = self.source.ids[rows]
        return randomizing.randomize_pixels(
            self.randomization, images, ids, self.statistics, is_test=self.source.is_test
        )

    def _randomized_before_crop(self, rows):
        images = self.source.images[rows]
        return images if self._permutes_after_crop else self._randomize(images, rows)

    def _standardize_all(self) -> tf.Variable:
        # Chunk by chunk into one variable: the float images are the largest thing in memory, held once.
        ready = tf.Variable(tf.zeros((self.num_examples, *self.input_shape)), trainable=False)
        for start in range(0, self.num_examples, CHUNK):
            rows = slice(start, min(start + CHUNK, self.num_examples))
            images = preparing.standardize(self.randomized(rows).images, self.preprocessing, self.statistics)
            ready.scatter_update(tf.IndexedSlices(images, tf.range(rows.start, rows.stop)))
        return ready

    def _training_images(self, rows):
        if self._ready is not None:
            return tf.gather(self._ready, rows)
        drawn = augmenting.Draws(*(tf.gather(d, rows) for d in self._draws))
        images = tf.gather(self._sources, rows)
        cropped = augmenting.apply(self.augmentation, images, drawn, self.input_shape[:2])
        return self._finish(cropped, rows)

    def _evaluation_images(self, rows):
        if self._ready is not None:
            return tf.gather(self._ready, rows)
        height, width, _ = self.input_shape
        return self._finish(preparing.center_crop(tf.gather(self._sources, rows), height, width), rows)

    def _finish(self, cropped, rows):
        if self._maps is not None:
            cropped = self._permute(cropped, rows)
        return preparing.standardize(cropped, self.preprocessing, self.statistics)

    def _maps_after_crop(self):
        """`(affected [examples], permutations [examples or 1, positions])`, or None if nothing is permuted."""
        if not self._permutes_after_crop:
            return None
        how, ids = self.randomization, self.source.ids
        positions = self.input_shape[0] * self.input_shape[1]
        affected = randomizing.pixels_affected(how, ids, is_test=self.source.is_test)
        if how.pixels == "shuffled":
            permutations = randomizing.shared_permutation(how, positions)[np.newaxis]
        else:
            permutations = randomizing.own_permutations(how, ids, positions, is_test=self.source.is_test)
        return tf.constant(affected), tf.constant(permutations.astype(np.int32))

    def _permute(self, images, rows):
        affected, permutations = self._maps
        height, width, channels = self.input_shape
        flat = tf.reshape(images, (-1, height * width, channels))
        if self.randomization.pixels == "shuffled":
            permuted = tf.gather(flat, permutations[0], axis=1)
        else:
            permuted = tf.gather(flat, tf.gather(permutations, rows), axis=1, batch_dims=1)
        chosen = tf.where(tf.gather(affected, rows)[:, tf.newaxis, tf.newaxis], permuted, flat)
        return tf.reshape(chosen, (-1, height, width, channels))

    def _draw(self, epoch):
        size = self.source.images.shape[1:3]
        return augmenting.draw(self.augmentation, self.seed, epoch, self.source.ids, size, self.input_shape[:2])


def epoch_order(seed: int, epoch: int, count: int) -> np.ndarray:
    """The order in which an epoch visits the examples: int32 `[count]`, a function of (seed, epoch)."""
    return random_bits.permutation(seed, Stream.EPOCH_ORDER, 0, count, epoch).astype(np.int32)


def _check_augmentation(how: Augmentation, image_size, crop) -> None:
    if how.random_crop and not how.padding and tuple(image_size) == tuple(crop):
        raise UserError(
            f"A random crop of {crop[0]} x {crop[1]} pixels has no room in images of {image_size[0]} x "
            f"{image_size[1]}. Set preprocessing.crop smaller, or augmentation.padding = 4."
        )
