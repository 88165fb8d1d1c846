"""ImageNet (ILSVRC 2012), the data set of the paper's table 2."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rethink_keras.data.sources.image_set import PixelStatistics
from rethink_keras.data.sources.source import SOURCES, check_count
from rethink_keras.data.sources.streamed_set import StreamedSet
from rethink_keras.data.sources.tfds_source import TfdsSource

# The publisher keeps the labels of the test set; the validation set is used in its place, as in the paper.
TFDS_SPLITS = {"train": "train", "test": "validation"}
# Channel means and deviations of the training set in 0..255, as widely published.
STATISTICS = PixelStatistics(np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375]))


@SOURCES.register("imagenet2012")
class Imagenet2012(TfdsSource):
    """`imagenet2012`: JPEG images of different sizes in 1,000 classes; 1,281,167 train and 50,000 test examples."""

    train_examples = 1_281_167

    def open(self, split: str, data_dir: str | Path | None, count: int | None) -> StreamedSet:
        """Opens one split without reading an image, see `Source.open`."""
        builder = self.prepared_builder(data_dir)
        tfds_split = TFDS_SPLITS[split]
        check_count(self.name, split, count, sum(builder.info.splits[tfds_split].shard_lengths))
        return StreamedSet(self.name, split, builder, tfds_split, STATISTICS, count)
