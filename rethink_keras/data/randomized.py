"""One split as randomized, in numpy: what the network is fed before standardization and augmentation."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from rethink_keras.data import preprocessing as preparing
from rethink_keras.data import randomization as randomizing
from rethink_keras.data.preprocessing import Preprocessing
from rethink_keras.data.randomization import PixelStatistics, Randomization
from rethink_keras.data.sources import ImageSet


class Examples(NamedTuple):
    """Randomized and cropped examples.

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


class RandomizedSplit:
    """A split under a randomization; images are randomized when asked for, labels at once.

    Args:
        source: the original examples.
        randomization: with its seed settled.
        preprocessing: crop and standardization.
        statistics: of the original training images.

    Attributes:
        labels: int64 `[examples]`.
        corrupted: bool `[examples]`, this label was drawn anew.
        input_shape: `(height, width, channels)` that the network sees.
    """

    def __init__(
        self,
        source: ImageSet,
        randomization: Randomization,
        preprocessing: Preprocessing,
        statistics: PixelStatistics,
    ):
        self.source = source
        self.randomization = randomization
        self.preprocessing = preprocessing
        self.statistics = statistics
        self.input_shape = preprocessing.output_shape(source.images.shape[1:])
        self.labels, self.corrupted = randomizing.randomize_labels(
            randomization, source.labels, source.ids, source.num_classes, is_test=source.is_test
        )

    @property
    def num_examples(self) -> int:
        """The number of examples of this split."""
        return len(self.labels)

    @property
    def permutes_after_crop(self) -> bool:
        """Whether pixels are permuted within the crop, as opposed to the whole image or not at all."""
        how = self.randomization
        return how.pixels in ("shuffled", "random") and how.permute == "after_crop"

    def under(self, changes: dict[str, Any]) -> RandomizedSplit:
        """The same split with other fields of its randomization, such as `{"labels": "true"}`."""
        how = dataclasses.replace(self.randomization, **changes)
        return RandomizedSplit(self.source, how, self.preprocessing, self.statistics)

    def examples(self, rows: slice | np.ndarray = slice(None)) -> Examples:
        """What the network is fed before standardization, without augmentation, for some rows."""
        height, width, _ = self.input_shape
        images = preparing.center_crop(self.images_before_crop(rows), height, width)
        if self.permutes_after_crop:
            images = self._randomize(images, rows)
        return Examples(
            np.ascontiguousarray(images),
            self.labels[rows],
            self.source.labels[rows],
            self.source.ids[rows],
            self.corrupted[rows],
        )

    def images_before_crop(self, rows: slice | np.ndarray = slice(None)) -> np.ndarray:
        """Whole images `[examples, height, width, channels]`, with what is randomized before the crop."""
        images = self.source.images[rows]
        return images if self.permutes_after_crop else self._randomize(images, rows)

    def maps_after_crop(self) -> tuple[np.ndarray, np.ndarray]:
        """Bool `[examples]`, which images are permuted, and int32 permutations `[examples or 1, positions]`."""
        how, ids, is_test = self.randomization, self.source.ids, self.source.is_test
        positions = self.input_shape[0] * self.input_shape[1]
        affected = randomizing.pixels_affected(how, ids, is_test=is_test)
        if how.pixels == "shuffled":
            return affected, randomizing.shared_permutation(how, positions)[np.newaxis].astype(np.int32)
        return affected, randomizing.own_permutations(how, ids, positions, is_test=is_test)

    def _randomize(self, images, rows):
        ids, is_test = self.source.ids[rows], self.source.is_test
        return randomizing.randomize_pixels(self.randomization, images, ids, self.statistics, is_test=is_test)
