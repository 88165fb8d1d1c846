"""Both splits of the configured data set, randomized and preprocessed as configured."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

from rethink_keras.data.preprocessing import Preprocessing
from rethink_keras.data.randomization import Randomization
from rethink_keras.data.randomized import RandomizedSplit
from rethink_keras.data.sources import Dataset, ImageSet


@dataclasses.dataclass(frozen=True, eq=False)
class Splits:
    """What gin binds of the data; nothing is read before it is asked for.

    Attributes:
        dataset: which set, and how much of it.
        randomization: with its seed settled.
        preprocessing: crop and standardization.
        seed: of epoch order and augmentation.
    """

    dataset: Dataset
    randomization: Randomization
    preprocessing: Preprocessing
    seed: int

    @classmethod
    def configured(cls, data_dir: str | Path | None, seed: int) -> Splits:
        """The splits that the present gin configuration describes, for a run's seed."""
        return cls(Dataset(data_dir=data_dir), Randomization().with_seed(seed), Preprocessing(), seed)

    @functools.cached_property
    def train(self) -> ImageSet:
        """The original training examples."""
        return self.dataset.load("train")

    @functools.cached_property
    def test(self) -> ImageSet:
        """The original test examples."""
        return self.dataset.load("test")

    @property
    def crop_leaves_room(self) -> bool:
        """Whether the network's input is smaller than the images, as a random crop needs."""
        shape = self.train.images.shape[1:]
        return self.preprocessing.output_shape(shape)[:2] != shape[:2]

    def randomized(self, split: str) -> RandomizedSplit:
        """'train' or 'test' as randomized; the statistics are those of the original training images."""
        source = self.train if split == "train" else self.test
        return RandomizedSplit(source, self.randomization, self.preprocessing, self.train.pixel_statistics)
