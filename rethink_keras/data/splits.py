"""Both splits of the configured data set, randomized and preprocessed as configured."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

from rethink_keras.data import sources
from rethink_keras.data.augmentation import Augmentation
from rethink_keras.data.batches import WHOLE_BATCH, Batches, BatchShard
from rethink_keras.data.pipeline import NO_AUGMENTATION, Pipeline
from rethink_keras.data.preprocessing import Preprocessing
from rethink_keras.data.randomization import Randomization
from rethink_keras.data.randomized import RandomizedSplit
from rethink_keras.data.sources import Dataset, ImageSet
from rethink_keras.data.streaming import StreamedPipeline, StreamedSet
from rethink_keras.errors import UserError


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
    def from_gin(cls, data_dir: str | Path | None, seed: int) -> Splits:
        """The splits that the present gin configuration describes, for a run's seed."""
        return cls(Dataset(data_dir=data_dir), Randomization().with_seed(seed), Preprocessing(), seed)

    @functools.cached_property
    def train(self) -> ImageSet | StreamedSet:
        """The original training examples."""
        return self._open("train", self.dataset.train_examples)

    @functools.cached_property
    def test(self) -> ImageSet | StreamedSet:
        """The original test examples."""
        return self._open("test", self.dataset.test_examples)

    @property
    def crop_leaves_room(self) -> bool:
        """Whether the network's input is smaller than the images, as a random crop needs."""
        if isinstance(self.train, StreamedSet):
            return True
        shape = self.train.images.shape[1:]
        return self.preprocessing.output_shape(shape)[:2] != shape[:2]

    def randomized(self, split: str) -> RandomizedSplit:
        """'train' or 'test' as randomized, in memory; statistics are those of the original training images.

        Raises:
            UserError: for a set that is streamed.
        """
        source = self.train if split == "train" else self.test
        if isinstance(source, StreamedSet):
            raise UserError(f"{source.name} is too large for memory. Choose a set that is not streamed.")
        return RandomizedSplit(source, self.randomization, self.preprocessing, self.train.pixel_statistics)

    def pipeline(
        self, split: str, augmentation: Augmentation = NO_AUGMENTATION, shard: BatchShard = WHOLE_BATCH
    ) -> Batches:
        """Batches of 'train' or 'test'."""
        source = self.train if split == "train" else self.test
        if isinstance(source, StreamedSet):
            how = self.randomization, self.preprocessing
            return StreamedPipeline(source, *how, augmentation, self.seed, shard)
        return Pipeline(self.randomized(split), augmentation, self.seed, shard)

    def _open(self, split: str, count: int | None) -> ImageSet | StreamedSet:
        name, data_dir = self.dataset.name, self.dataset.data_dir
        if name in sources.STREAMED:
            return StreamedSet.load(name, split, data_dir, count)
        return sources.load(name, split, data_dir, count)
