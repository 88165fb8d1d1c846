"""One split of a data set in memory."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from typing import NamedTuple

import numpy as np

MOST_ID = 2**24  # random bits are computed for all numbers up to the largest id


class PixelStatistics(NamedTuple):
    """Mean and standard deviation of the original training images, float64 `[channels]`, in 0..255."""

    mean: np.ndarray
    std: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class ImageSet:
    """One split in memory.

    Attributes:
        name: Name of the data set.
        split: 'train' or 'test'.
        images: uint8 `[examples, height, width, channels]`.
        labels: int64 `[examples]`.
        ids: int64 `[examples]`, ascending: the position in the original files where the data set records it
            (CIFAR), else the position in the fixed read order.
        class_names: One for each class.
        original_labels: int64 `[examples]`, the true labels if `labels` were randomized before; None if not.
        corrupted: bool `[examples]`, whether the label was replaced before; None for no example.
    """

    name: str
    split: str
    images: np.ndarray
    labels: np.ndarray
    ids: np.ndarray
    class_names: tuple[str, ...]
    original_labels: np.ndarray | None = None
    corrupted: np.ndarray | None = None

    @property
    def num_examples(self) -> int:
        """The number of examples."""
        return len(self.ids)

    @property
    def num_classes(self) -> int:
        """The number of classes of the data set, including those without an example here."""
        return len(self.class_names)

    @property
    def is_test(self) -> bool:
        """Whether this is the test set."""
        return self.split == "test"

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of images, labels and ids."""
        digest = hashlib.sha256(repr((self.images.shape, self.num_classes)).encode())
        for array in (self.images, self.labels, self.ids):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    @functools.cached_property
    def pixel_statistics(self) -> PixelStatistics:
        """Mean and standard deviation of each channel over all images, in 0..255."""
        # Sums over the 256 counts of each channel are exact and need no float copy of the images.
        levels = np.arange(256, dtype=np.float64)
        channels = self.images.shape[-1]
        counts = np.stack([np.bincount(self.images[..., c].ravel(), minlength=256) for c in range(channels)])
        total = counts.sum(axis=1)
        mean = counts @ levels / total
        return PixelStatistics(mean, np.sqrt(counts @ levels**2 / total - mean**2))
