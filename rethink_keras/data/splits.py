"""Training and test set of the configured data set, randomized and preprocessed as configured."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path

from rethink_keras.data.augmentation import NO_AUGMENTATION, Augmentation
from rethink_keras.data.batches import WHOLE_BATCH, Batches, BatchShard
from rethink_keras.data.pipeline import HOST, make_pipeline
from rethink_keras.data.preprocessing import Preprocessing
from rethink_keras.data.randomization import Randomization
from rethink_keras.data.randomization.pixels import GaussianPixels
from rethink_keras.data.randomized_split import RandomizedSplit
from rethink_keras.data.sources import Dataset, ImageSet, StreamedSet
from rethink_keras.data.streaming import StreamedPipeline
from rethink_keras.errors import UserError


@dataclasses.dataclass(frozen=True, eq=False)
class Splits:
    """The configured data; a split is read when it is first used.

    Attributes:
        dataset: Data set, and how many examples of it.
        randomization: With a seed.
        preprocessing: Crop and standardization.
        seed: Seed of epoch order and augmentation.
    """

    dataset: Dataset
    randomization: Randomization
    preprocessing: Preprocessing
    seed: int

    @classmethod
    def from_gin(cls, data_dir: str | Path | None, seed: int) -> Splits:
        """Constructs what gin binds of the data.

        Args:
            data_dir: TFDS data folder; None leaves it to TFDS.
            seed: The run's seed.

        Raises:
            UserError: A value is out of range.
        """
        return cls(Dataset(data_dir=data_dir), Randomization().with_seed(seed), Preprocessing(), seed)

    @functools.cached_property
    def train(self) -> ImageSet | StreamedSet:
        """The original training examples."""
        return self.dataset.open("train")

    @functools.cached_property
    def test(self) -> ImageSet | StreamedSet:
        """The original test examples."""
        return self.dataset.open("test")

    @property
    def in_memory(self) -> bool:
        """Whether the data set is read into memory, not streamed."""
        return isinstance(self.train, ImageSet)

    @property
    def crop_leaves_room(self) -> bool:
        """Whether the network's input is smaller than the images, as a random crop needs."""
        if isinstance(self.train, StreamedSet):
            return True
        shape = self.train.images.shape[1:]
        return self.preprocessing.output_shape(shape)[:2] != shape[:2]

    def randomized(self, split: str) -> RandomizedSplit:
        """Returns 'train' or 'test' as randomized, in memory.

        Raises:
            UserError: The data set is streamed.
        """
        source = self._source(split)
        if isinstance(source, StreamedSet):
            raise UserError(f"{source.name} is too large for memory. Choose a set that is not streamed.")
        # Statistics are those of the training images, for the test set too.
        statistics = self.train.pixel_statistics
        assert statistics is not None
        return RandomizedSplit(source, self.randomization, self.preprocessing, statistics)

    def pipeline(
        self,
        split: str,
        augmentation: Augmentation = NO_AUGMENTATION,
        shard: BatchShard = WHOLE_BATCH,
        device: str = HOST,
    ) -> Batches:
        """Returns batches of 'train' or 'test'.

        Args:
            split: 'train' or 'test'.
            augmentation: Of training batches; evaluation never augments.
            shard: The part of each batch that this process computes.
            device: The device whose memory has the data; streamed data are read by the host.

        Raises:
            UserError: An option does not apply to these images.
        """
        source = self._source(split)
        if isinstance(source, StreamedSet):
            self._check_statistics(source)
            options = self.randomization, self.preprocessing
            return StreamedPipeline(source, *options, augmentation, self.seed, shard)
        return make_pipeline(self.randomized(split), augmentation, self.seed, shard, device)

    def _check_statistics(self, source: StreamedSet) -> None:
        """Raises UserError if pixel statistics are used that are not known: reading all images would take long."""
        if source.pixel_statistics is not None:
            return
        if isinstance(self.randomization.pixel_randomization, GaussianPixels):
            raise UserError(
                "Gaussian pixels need the mean of each channel, which is not known for the streamed set "
                f"{source.name}. Choose another randomization.pixels, or a set that is not streamed."
            )
        if self.preprocessing.normalization == "channel":
            self.preprocessing.channel_statistics(None)

    def _source(self, split: str) -> ImageSet | StreamedSet:
        return self.train if split == "train" else self.test
