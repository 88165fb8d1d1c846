"""A split that is too large for memory as batches, with the same contracts as for sets in memory.

Labels and pixels are functions of (seed, id), augmentation of (seed, epoch, id), and the order of examples of (seed,
epoch). A full shuffle would need random access, so an epoch mixes at three levels: it reads the shards in a drawn
order, `SHARDS_IN_TURN` of them alternately, and permutes blocks of `BLOCK` records.

Reading and decoding run on all cores, with deterministic operations too. For this no function of a dataset may read a
variable or call Python statefully, or else tf.data runs all stages one after another: the epoch is part of each
element, and what Python computes is a pure function of the element.
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
from rethink_keras.data.present_epoch import PresentEpoch
from rethink_keras.data.random_bits import Stream
from rethink_keras.data.randomization import PixelPermutation, Randomization
from rethink_keras.data.sources import StreamedSet
from rethink_keras.errors import UserError

SHARDS_IN_TURN = 16
BLOCK = 4096  # records permuted at a time
FINISHED_AT_A_TIME = 2  # batches: each is in memory several times as float32
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
        super().__init__(source.num_examples, (side, side, 3), seed, shard)
        self.source = source
        self.randomization = randomization
        self.preprocessing = preprocessing
        self.augmentation = augmentation
        own_labels = np.full(source.num_examples, OWN_LABEL)
        drawn, _ = randomization.randomize_labels(
            own_labels, source.ids, source.num_classes, is_test=source.is_test
        )
        paths, first_ids = source.shards()
        with tf.device("CPU:0"):
            self._drawn_labels = tf.constant(drawn)
            self._paths, self._first_ids = tf.constant(paths), tf.constant(first_ids)
        self._present_epoch = PresentEpoch()

    def order(self, epoch: int) -> np.ndarray:
        """Returns the order of an epoch's shards, then that of its first block: int32."""
        return np.concatenate([self._shard_order(epoch), self._block_order(0, epoch, BLOCK)]).astype(np.int32)

    def set_epoch(self, epoch: int) -> None:
        """Sets the order and the augmentation of the training batches that are read from now on."""
        self._present_epoch.assign(epoch)

    def training_batches(self, batch_size: int, first_step: int = 0) -> tf.data.Dataset:
        """Returns the batches of the present epoch, see `Batches`."""
        shards = self._present_epoch.dataset().map(self._shards_of_epoch).unbatch()
        mixed = self._records(shards, SHARDS_IN_TURN).batch(BLOCK).enumerate().map(self._mix).unbatch()
        # Records are skipped before they are decoded: resuming in mid-epoch costs reading only.
        rest = mixed.skip(first_step * batch_size)
        return self._batches(rest, batch_size, first_step, self.augmentation)

    def evaluation_batches(self, batch_size: int) -> tf.data.Dataset:
        """Returns all examples once, see `Batches`."""
        # The epoch, which only augmentation would read, is 0.
        shards = tf.data.Dataset.range(len(self._paths)).map(lambda shard: (tf.zeros_like(shard), shard))
        return self._batches(self._records(shards, 1), batch_size, 0, NO_AUGMENTATION)

    def _records(self, shards, in_turn):
        """Returns a dataset of epoch, id and encoded record, from one of pairs of epoch and shard."""

        def read(epoch, shard):
            records = tf.data.TFRecordDataset(self._paths[shard]).enumerate(self._first_ids[shard])
            return records.map(lambda example_id, record: (epoch, example_id, record))

        records = shards.interleave(
            read, cycle_length=in_turn, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True
        )
        return records.filter(lambda _, example_id, __: example_id < self.num_examples)

    def _shards_of_epoch(self, epoch):
        order = _pure_function(self._shard_order, [epoch], tf.int64, (len(self._paths),))
        return tf.fill(tf.shape(order), epoch), order

    def _shard_order(self, epoch):
        return random_bits.permutation(self.seed, Stream.EPOCH_ORDER, 0, len(self._paths), int(epoch))

    def _mix(self, block, examples):
        epochs, ids, records = examples
        order = _pure_function(self._block_order, [block, epochs[0], tf.size(ids)], tf.int64, (None,))
        return epochs, tf.gather(ids, order), tf.gather(records, order)

    def _block_order(self, block, epoch, size):
        return random_bits.permutation(self.seed, Stream.EPOCH_ORDER, int(block) + 1, int(size), int(epoch))

    def _batches(self, records, batch_size, first_step, augmentation):
        begin, end = self.shard.bounds(batch_size)
        finished = (
            self._of_this_worker(records, batch_size, first_step)
            .map(functools.partial(self._example, augmentation), num_parallel_calls=tf.data.AUTOTUNE)
            .batch(end - begin)
            .map(self._finish, num_parallel_calls=FINISHED_AT_A_TIME)
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

    def _example(self, augmentation, epoch, example_id, record):
        drawn_numbers = tf.zeros(distortion.DRAWS)
        if augmentation.in_force:
            drawn_numbers = _pure_function(self._words, [example_id, epoch], tf.float32, (distortion.DRAWS,))
        image, label = self.source.decode(record)
        drawn = self._drawn_labels[example_id]
        is_class = (label >= 0) & (label < self.source.num_classes)
        tf.debugging.Assert(is_class, ["a label is outside the classes:", label])
        label = tf.where(drawn == OWN_LABEL, tf.cast(label, tf.int64), drawn)
        pixels = distortion.crop_and_distort(image, self.input_shape[0], augmentation, drawn_numbers)
        return pixels, label, example_id

    def _words(self, example_id, epoch):
        count = distortion.DRAWS
        words = random_bits.words_in_depth(self.seed, Stream.AUGMENTATION, int(example_id), count, int(epoch))
        return random_bits.uniform(words).astype(np.float32)

    def _finish(self, images, labels, ids):
        if self.randomization.pixel_randomization.randomized:
            images = _pure_function(self._randomize, [images, ids], tf.float32, (None, *self.input_shape))
        return self.preprocessing.standardize(images, self.source.pixel_statistics), labels

    def _randomize(self, images, ids):
        statistics, is_test = self.source.pixel_statistics, self.source.is_test
        return self.randomization.randomize_pixels(images, ids, statistics, is_test=is_test)


def _pure_function(function, arguments, dtype, shape):
    """Returns the array of a Python function that depends on nothing but its arguments."""
    # With stateful=True, the default, tf.data would run all stages one after another.
    return tf.ensure_shape(tf.numpy_function(function, arguments, dtype, stateful=False), shape)


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
