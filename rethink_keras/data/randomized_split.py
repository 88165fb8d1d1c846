"""One split as randomized, in numpy: the network's input before standardization and augmentation."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np

from rethink_keras.data.preprocessing import Preprocessing, center_crop
from rethink_keras.data.randomization import Randomization
from rethink_keras.data.sources import ImageSet, PixelStatistics


class Examples(NamedTuple):
    """Randomized and cropped examples.

    Attributes:
        images: `[examples, height, width, channels]` in 0..255, uint8; float32 for Gaussian pixels.
        labels: int64 `[examples]`.
        original_labels: int64 `[examples]`, the true ones.
        ids: int64 `[examples]`.
        corrupted: bool `[examples]`, whether the label was replaced by a drawn one.
    """

    images: np.ndarray
    labels: np.ndarray
    original_labels: np.ndarray
    ids: np.ndarray
    corrupted: np.ndarray


@dataclasses.dataclass(eq=False)
class RandomizedSplit:
    """A split under a randomization; labels are randomized at once, images when they are requested.

    Attributes:
        source: Original examples.
        randomization: With a seed.
        preprocessing: Crop and standardization.
        statistics: Of the original training images.
        labels: int64 `[examples]`.
        original_labels: int64 `[examples]`, the true ones.
        corrupted: bool `[examples]`, whether the label was replaced by a drawn one, here or before in `source`.
        input_shape: `(height, width, channels)` of the network's input.
    """

    source: ImageSet
    randomization: Randomization
    preprocessing: Preprocessing
    statistics: PixelStatistics

    def __post_init__(self):
        source = self.source
        self.input_shape = self.preprocessing.output_shape(source.images.shape[1:])
        self.labels, self.corrupted = self.randomization.randomize_labels(
            source.labels, source.ids, source.num_classes, is_test=source.is_test
        )
        self.original_labels = source.labels if source.original_labels is None else source.original_labels
        if source.corrupted is not None:
            self.corrupted = self.corrupted | source.corrupted

    @property
    def num_examples(self) -> int:
        """The number of examples of this split."""
        return len(self.labels)

    def under(self, changes: dict[str, Any]) -> RandomizedSplit:
        """Returns this split with other fields of its randomization, such as `{"labels": "true"}`."""
        return dataclasses.replace(self, randomization=dataclasses.replace(self.randomization, **changes))

    def examples(self, rows: slice | np.ndarray = slice(None)) -> Examples:
        """Returns some rows as the network gets them, before standardization and without augmentation."""
        height, width, _ = self.input_shape
        images = center_crop(self.images_before_crop(rows), height, width)
        if self.randomization.permutes_after_crop:
            images = self._randomize(images, rows)
        return Examples(
            np.ascontiguousarray(images),
            self.labels[rows],
            self.original_labels[rows],
            self.source.ids[rows],
            self.corrupted[rows],
        )

    def images_before_crop(self, rows: slice | np.ndarray = slice(None)) -> np.ndarray:
        """Returns whole images `[examples, height, width, channels]`, randomized unless that follows the crop."""
        images = self.source.images[rows]
        return images if self.randomization.permutes_after_crop else self._randomize(images, rows)

    def maps_after_crop(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns bool `[examples]`, which images are permuted, and int32 permutations `[examples or 1, positions]`."""
        ids, is_test = self.source.ids, self.source.is_test
        height, width, _ = self.input_shape
        affected = self.randomization.pixels_affected(ids, is_test=is_test)
        return affected, self.randomization.permutations(ids, height * width, is_test=is_test)

    def standardize(self, images):
        """Returns float32 images, standardized as configured, see `Preprocessing.standardize`."""
        return self.preprocessing.standardize(images, self.statistics)

    def _randomize(self, images, rows):
        ids, is_test = self.source.ids[rows], self.source.is_test
        return self.randomization.randomize_pixels(images, ids, self.statistics, is_test=is_test)
