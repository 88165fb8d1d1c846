"""A split that is too large for memory as batches, with the same contracts as for sets in memory.

Labels and pixels are functions of (seed, id), augmentation of (seed, epoch, id), and the order of examples of (seed,
epoch). A full shuffle would need random access, so an epoch mixes at three levels: it reads the shards in a drawn
order, `SHARDS_IN_TURN` of them alternately, and permutes blocks of `BLOCK` records.
"""

from __future__ import annotations

import functools

import numpy as np
import tensorflow as tf

from rethink_keras.data import distortion, random_bits
from rethink_keras.data.augmentation import NO_AUGMENTATION, Augmentation
from rethink_keras.data.batches import WHOLE_BATCH, Batches, BatchShard
from rethink_keras.data.dataset_options import options
from rethink_keras.data.preprocessing import Preprocessing
from rethink_keras.data.random_bits import Stream
from rethink_keras.data.randomization import PixelPermutation, Randomization
from rethink_keras.data.sources import StreamedSet
from rethink_keras.errors import UserError

SHARDS_IN_TURN = 16
BLOCK = 4096  # records permuted at a time
OWN_LABEL = -1  # in place of a drawn label: the label is known only when the record is read


class StreamedPipeline(Batches):
    """Batches of a streamed split.

    Args:
        source: The split on disk.
        randomization: With a seed.
        preprocessing: `crop` is the side that images are resized to.
        augmentation: Of training batches: random crop, flip and colour distortion, see `distortion`.
        seed: Seed of epoch order and augmentation.
        shard: The part of each batch that is decoded here; every worker reads all records.

    Raises:
        UserError: An option does not apply to images of different sizes.
    """

    def __init__(
        self,
        source: StreamedSet,
        randomization: Randomization,
        preprocessing: Preprocessing,
        augmentation: Augmentation = NO_AUGMENTATION,
        seed: int = 0,
        shard: BatchShard = WHOLE_BATCH,
    ):
        side = _checked_side(randomization, preprocessing, augmentation)
        self.source = source
        self.randomization = randomization
        self.preprocessing = preprocessing
        self.augmentation = augmentation
        self.seed = seed
        self.shard = shard
        self.input_shape = (side, side, 3)
        own_labels = np.full(source.num_examples, OWN_LABEL)
        drawn, _ = randomization.randomize_labels(
            own_labels, source.ids, source.num_classes, is_test=source.is_test
        )
        paths, first_ids = source.shards()
        with tf.device("CPU:0"):
            self._drawn_labels = tf.constant(drawn)
            self._paths, self._first_ids = tf.constant(paths), tf.constant(first_ids)
            self._epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
            self._shard_order = tf.Variable(tf.range(len(paths)), trainable=False)

    @property
    def num_examples(self) -> int:
        """The number of examples of this split."""
        return self.source.num_examples

    def order(self, epoch: int) -> np.ndarray:
        """Returns the order of an epoch's shards, then that of its first block: int32."""
        shards = random_bits.permutation(self.seed, Stream.EPOCH_ORDER, 0, len(self._paths), epoch)
        return np.concatenate([shards, self._block_order(0, epoch, BLOCK)]).astype(np.int32)

    def set_epoch(self, epoch: int) -> None:
        """Sets the order and the augmentation of the training batches that are read from now on."""
        self._epoch.assign(epoch)
        self._shard_order.assign(self.order(epoch)[: len(self._paths)])

    def training_batches(self, batch_size: int, first_step: int = 0) -> tf.data.Dataset:
        """Returns the batches of the present epoch, see `Batches`."""
        shards = tf.data.Dataset.range(len(self._paths)).map(lambda k: self._shard_order[k])
        records = self._records(shards, SHARDS_IN_TURN)
        mixed = records.batch(BLOCK).enumerate().map(self._mix).unbatch()
        # Records are skipped before they are decoded: resuming in mid-epoch costs reading only.
        rest = mixed.skip(first_step * batch_size)
        return self._batches(rest, batch_size, first_step, self.augmentation)

    def evaluation_batches(self, batch_size: int) -> tf.data.Dataset:
        """Returns all examples once, see `Batches`."""
        shards = tf.data.Dataset.range(len(self._paths), output_type=tf.int32)
        return self._batches(self._records(shards, 1), batch_size, 0, NO_AUGMENTATION)

    def _records(self, shards, in_turn):
        """Returns a dataset of pairs of id and encoded record."""

        def read(shard):
            records = tf.data.TFRecordDataset(self._paths[shard])
            return records.enumerate(self._first_ids[shard])

        records = shards.interleave(
            read, cycle_length=in_turn, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
        )
        return records.filter(lambda example_id, _: example_id < self.num_examples)

    def _mix(self, block, examples):
        ids, records = examples
        order = tf.numpy_function(self._block_order, [block, self._epoch, tf.size(ids)], tf.int64)
        order.set_shape([None])
        return tf.gather(ids, order), tf.gather(records, order)

    def _block_order(self, block, epoch, size):
        return random_bits.permutation(self.seed, Stream.EPOCH_ORDER, int(block) + 1, int(size), int(epoch))

    def _batches(self, records, batch_size, first_step, augmentation):
        # The draws are a map of their own: with op determinism, tf.data runs a map that reads variables or calls
        # Python on one element after another, and decoding needs all cores.
        own = self._of_this_worker(records, batch_size, first_step)
        drawn = own.map(self._draw) if augmentation.in_force else own.map(_without_draws)
        begin, end = self.shard.bounds(batch_size)
        finished = (
            drawn.map(functools.partial(self._example, augmentation), num_parallel_calls=tf.data.AUTOTUNE)
            .batch(end - begin)
            .map(self._finish, num_parallel_calls=tf.data.AUTOTUNE)
        )
        # `fit` reads the number of batches, which filters hide.
        counted = finished.apply(tf.data.experimental.assert_cardinality(self.steps(batch_size) - first_step))
        return counted.prefetch(2).with_options(options())

    def _of_this_worker(self, records, batch_size, first_step):
        """Returns the records of this worker's part of each batch."""
        if self.shard == WHOLE_BATCH:
            return records

        full = tf.constant(batch_size, tf.int64)

        def is_own(position, _):
            in_batch = position % full
            begin, end = self.shard.bounds(tf.minimum(full, self.num_examples - (position - in_batch)))
            return (begin <= in_batch) & (in_batch < end)

        numbered = records.enumerate(first_step * batch_size)
        return numbered.filter(is_own).map(lambda _, record: record)

    def _draw(self, example_id, record):
        words = tf.numpy_function(self._words, [example_id, self._epoch], tf.float32)
        words.set_shape([distortion.DRAWS])
        return example_id, record, words

    def _example(self, augmentation, example_id, record, words):
        image, label = self.source.decode(record)
        drawn = self._drawn_labels[example_id]
        is_class = (label >= 0) & (label < self.source.num_classes)
        tf.debugging.Assert(is_class, ["a label is outside the classes:", label])
        label = tf.where(drawn == OWN_LABEL, tf.cast(label, tf.int64), drawn)
        return distortion.crop_and_distort(image, self.input_shape[0], augmentation, words), label, example_id

    def _words(self, example_id, epoch):
        count = distortion.DRAWS
        words = random_bits.words_in_depth(self.seed, Stream.AUGMENTATION, int(example_id), count, int(epoch))
        return random_bits.uniform(words).astype(np.float32)

    def _finish(self, images, labels, ids):
        if self.randomization.pixel_randomization.randomized:
            images = tf.numpy_function(self._randomize, [images, ids], tf.float32)
        images.set_shape([None, *self.input_shape])
        return self.preprocessing.standardize(images, self.source.pixel_statistics), labels

    def _randomize(self, images, ids):
        statistics, is_test = self.source.pixel_statistics, self.source.is_test
        return self.randomization.randomize_pixels(images, ids, statistics, is_test=is_test)


def _without_draws(example_id, record):
    return example_id, record, tf.zeros(distortion.DRAWS)


def _checked_side(
    randomization: Randomization, preprocessing: Preprocessing, augmentation: Augmentation
) -> int:
    if preprocessing.crop is None:
        raise UserError(
            "Images of different sizes must be resized to one size. Set preprocessing.crop = 299."
        )
    is_permutation = isinstance(randomization.pixel_randomization, PixelPermutation)
    if is_permutation and not randomization.permutes_after_crop:
        raise UserError(
            "Pixels of images of different sizes can only be permuted after resizing. "
            "Set randomization.permute = 'after_crop'."
        )
    if augmentation.rotation or augmentation.padding:
        raise UserError("Rotation and padding are for sets in memory. Leave them out for ImageNet.")
    return preprocessing.crop
