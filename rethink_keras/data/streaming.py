"""ImageNet, which no memory holds: the same randomization, order and augmentation contracts on streamed records.

An example's id is its position in the fixed read order: the records before its shard, plus its place in it. An
epoch reads the shards in an order drawn from (seed, epoch), some of them in turn, and mixes blocks of records
by a permutation drawn from (seed, epoch, block), so that the order is a pure function, as for sets in memory.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from rethink_keras.data import distortion, preparation, random_bits, sources
from rethink_keras.data import preprocessing as preparing
from rethink_keras.data import randomization as randomizing
from rethink_keras.data.augmentation import Augmentation
from rethink_keras.data.batches import WHOLE_BATCH, Batches, BatchShard
from rethink_keras.data.dataset_options import options
from rethink_keras.data.pipeline import NO_AUGMENTATION
from rethink_keras.data.preprocessing import Preprocessing
from rethink_keras.data.random_bits import Stream
from rethink_keras.data.randomization import PixelStatistics, Randomization
from rethink_keras.errors import UserError

SPLITS = {"train": "train", "test": "validation"}
SHARDS_IN_TURN = 16
BLOCK = 4096  # records mixed at a time
# Channel means and deviations of ImageNet's training set in 0..255, as widely published.
STATISTICS = PixelStatistics(np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375]))


@dataclasses.dataclass(frozen=True, eq=False)
class StreamedSet:
    """One split on disk, in TFRecord shards.

    Attributes:
        name: the data set's.
        split: 'train' or 'test'.
        builder: prepared TFDS builder.
        count: take only so many examples, those with the lowest ids; None takes all.
    """

    name: str
    split: str
    builder: Any
    count: int | None = None

    @classmethod
    def load(cls, name: str, split: str, data_dir: str | Path | None, count: int | None) -> StreamedSet:
        """Opens a split.

        Raises:
            DataNotAvailableError: if the set is neither on disk nor to be had.
            UserError: if there are not `count` examples.
        """
        streamed = cls(name, split, preparation.prepared_builder(name, data_dir), count)
        total = sum(streamed._info.shard_lengths)
        sources.check_count(name, split, count, total)
        return streamed

    @property
    def _info(self):
        return self.builder.info.splits[SPLITS[self.split]]

    @property
    def num_examples(self) -> int:
        """The number of examples taken."""
        return self.count or sum(self._info.shard_lengths)

    @property
    def ids(self) -> np.ndarray:
        """int64 `[examples]`."""
        return np.arange(self.num_examples)

    @property
    def class_names(self) -> tuple[str, ...]:
        """One for each class."""
        return tuple(self.builder.info.features["label"].names)

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return self.builder.info.features["label"].num_classes

    @property
    def is_test(self) -> bool:
        """Whether this is the test set."""
        return self.split == "test"

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of name, version, shards and their sizes: reading all pictures would take hours."""
        info = self._info
        facts = (self.name, str(self.builder.version), info.shard_lengths, info.num_bytes, self.num_examples)
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    @property
    def pixel_statistics(self) -> PixelStatistics:
        """Channel means and deviations in 0..255, as published."""
        return STATISTICS

    def shards(self) -> tuple[list[str], np.ndarray]:
        """Paths of the shards that hold examples taken, and the id of the first record of each."""
        lengths = self._info.shard_lengths
        first_ids = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        used = int(np.searchsorted(first_ids, self.num_examples))
        return [str(p) for p in self._info.filepaths[:used]], first_ids[:used]

    def decode(self, record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """A record's picture, uint8 `[height, width, 3]`, and its label."""
        example = self.builder.info.features.deserialize_example(record)
        return example["image"], example["label"]


class StreamedPipeline(Batches):
    """Batches of a streamed split.

    Args:
        source: the split.
        randomization: with its seed settled.
        preprocessing: `crop` is the side pictures are resized to.
        augmentation: random crop, flip and colour distortion as in `distortion`; with none of them, training
            looks at the centre of a picture as evaluation does. Drawn from (seed, epoch, id).
        seed: of epoch order and augmentation.
        shard: the part of each batch that is decoded here; records are read whole by every worker.

    Raises:
        UserError: for what pictures of different sizes do not allow.
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
        ids = source.ids
        # Where a label is not drawn anew, the record's own counts: -1 stands for it.
        drawn = randomizing.randomize_labels(
            randomization, np.full(len(ids), -1), ids, source.num_classes, is_test=source.is_test
        ).labels
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
        """What says in which order an epoch visits the examples: that of the shards, then of the first block."""
        shards = random_bits.permutation(self.seed, Stream.EPOCH_ORDER, 0, len(self._paths), epoch)
        return np.concatenate([shards, self._block_order(0, epoch, BLOCK)]).astype(np.int32)

    def set_epoch(self, epoch: int) -> None:
        """Settles the order and the augmentation of the batches that are read from now on."""
        self._epoch.assign(epoch)
        self._shard_order.assign(self.order(epoch)[: len(self._paths)])

    def training_batches(self, batch_size: int, first_step: int = 0) -> tf.data.Dataset:
        """The batches of the epoch that `set_epoch` settled, see `Batches`."""
        shards = tf.data.Dataset.range(len(self._paths)).map(lambda k: self._shard_order[k])
        records = self._records(shards, SHARDS_IN_TURN)
        mixed = records.batch(BLOCK).enumerate().map(self._mix).unbatch()
        rest = mixed.skip(first_step * batch_size)  # encoded: skipping costs reading alone
        return self._batches(rest, batch_size, first_step, self.augmentation)

    def evaluation_batches(self, batch_size: int) -> tf.data.Dataset:
        """All examples once, see `Batches`."""
        shards = tf.data.Dataset.range(len(self._paths), output_type=tf.int32)
        return self._batches(self._records(shards, 1), batch_size, 0, NO_AUGMENTATION)

    def _records(self, shards, in_turn):
        """Pairs of id and encoded record."""

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
        # The draws apart from the decoding: tf.data runs functions that read variables or call Python one after
        # another when ops are to be deterministic, and decoding needs all cores.
        here = self._shared_out(records, batch_size, first_step)
        drawn = here.map(self._draw) if augmentation.in_force else here.map(_nothing_drawn)
        begin, end = self.shard.bounds(batch_size)
        finished = (
            drawn.map(functools.partial(self._example, augmentation), num_parallel_calls=tf.data.AUTOTUNE)
            .batch(end - begin)
            .map(self._finish, num_parallel_calls=tf.data.AUTOTUNE)
        )
        known = finished.apply(tf.data.experimental.assert_cardinality(self.steps(batch_size) - first_step))
        return known.prefetch(2).with_options(options())

    def _shared_out(self, records, batch_size, first_step):
        """Of each batch, the records of this worker."""
        if self.shard == WHOLE_BATCH:
            return records

        whole = tf.constant(batch_size, tf.int64)

        def is_here(position, _):
            place = position % whole
            begin, end = self.shard.bounds(tf.minimum(whole, self.num_examples - (position - place)))
            return (begin <= place) & (place < end)

        numbered = records.enumerate(first_step * batch_size)
        return numbered.filter(is_here).map(lambda _, record: record)

    def _draw(self, example_id, record):
        words = tf.numpy_function(self._words, [example_id, self._epoch], tf.float32)
        words.set_shape([distortion.DRAWS])
        return example_id, record, words

    def _example(self, augmentation, example_id, record, words):
        picture, label = self.source.decode(record)
        drawn = self._drawn_labels[example_id]
        is_class = (label >= 0) & (label < self.source.num_classes)
        tf.debugging.Assert(is_class, ["a label is outside the classes:", label])
        label = tf.where(drawn < 0, tf.cast(label, tf.int64), drawn)
        return distortion.see(picture, self.input_shape[0], augmentation, words), label, example_id

    def _words(self, example_id, epoch):
        count = distortion.DRAWS
        words = random_bits.words_in_depth(self.seed, Stream.AUGMENTATION, int(example_id), count, int(epoch))
        return random_bits.uniform(words).astype(np.float32)

    def _finish(self, images, labels, ids):
        if self.randomization.pixels != "true":
            images = tf.numpy_function(self._randomize, [images, ids], tf.float32)
        images.set_shape([None, *self.input_shape])
        return preparing.standardize(images, self.preprocessing, STATISTICS), labels

    def _randomize(self, images, ids):
        how, is_test = self.randomization, self.source.is_test
        return randomizing.randomize_pixels(how, images, ids, STATISTICS, is_test=is_test)


def _nothing_drawn(example_id, record):
    return example_id, record, tf.zeros(distortion.DRAWS)


def _checked_side(
    randomization: Randomization, preprocessing: Preprocessing, augmentation: Augmentation
) -> int:
    if preprocessing.crop is None:
        raise UserError(
            "Pictures of different sizes need one to be resized to. Set preprocessing.crop = 299."
        )
    if randomization.pixels in ("shuffled", "random") and randomization.permute == "before_crop":
        raise UserError(
            "Pixels of pictures of different sizes can be permuted after resizing only. "
            "Set randomization.permute = 'after_crop'."
        )
    if augmentation.rotation or augmentation.padding:
        raise UserError("Rotation and padding are for sets in memory. Leave them out for ImageNet.")
    return preprocessing.crop
