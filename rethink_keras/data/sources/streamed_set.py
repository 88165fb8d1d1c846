"""One split of a data set that is too large for memory."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import tensorflow as tf
import tensorflow_datasets as tfds

from rethink_keras.data.sources.image_set import PixelStatistics


@dataclasses.dataclass(frozen=True, eq=False)
class StreamedSet:
    """One split on disk, in TFRecord shards.

    An example's id is its position in the fixed read order: the number of records before its shard, plus its
    place in the shard.

    Attributes:
        name: Name of the data set.
        split: 'train' or 'test'.
        builder: Prepared TFDS builder.
        tfds_split: Name of the split in TFDS.
        pixel_statistics: Mean and standard deviation of each channel, as published; None if they are not.
        count: Number of examples to take, those with the lowest ids; None takes all.
        image: Name of the feature with the image.
        label: Name of the feature with the label.
    """

    name: str
    split: str
    builder: tfds.core.DatasetBuilder
    tfds_split: str
    pixel_statistics: PixelStatistics | None
    count: int | None = None
    image: str = "image"
    label: str = "label"

    @property
    def _info(self) -> tfds.core.SplitInfo:
        return self.builder.info.splits[self.tfds_split]

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
        return tuple(self.builder.info.features[self.label].names)

    @property
    def num_classes(self) -> int:
        """The number of classes."""
        return self.builder.info.features[self.label].num_classes

    @property
    def is_test(self) -> bool:
        """Whether this is the test set."""
        return self.split == "test"

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of name, version, shards and their sizes: reading all images would take hours."""
        info = self._info
        facts = (self.name, str(self.builder.version), info.shard_lengths, info.num_bytes, self.num_examples)
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    def shards(self) -> tuple[list[str], np.ndarray]:
        """Returns the paths of the shards that hold the examples taken, and the first id in each, int64 `[shards]`."""
        lengths = self._info.shard_lengths
        first_ids = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        used = int(np.searchsorted(first_ids, self.num_examples))
        return [str(p) for p in self._info.filepaths[:used]], first_ids[:used]

    def decode(self, record: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns a record's image, uint8 `[height, width, 3]`, and its label, an int64 scalar.

        Grey images become images of three equal channels.
        """
        example = self.builder.info.features.deserialize_example(record)
        image = example[self.image]
        return tf.image.grayscale_to_rgb(image) if image.shape[-1] == 1 else image, example[self.label]
