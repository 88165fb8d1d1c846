"""What features are to the experiments of section 5, and the plainest of them: pixels."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Protocol

import gin
import numpy as np

from rethink_keras.data.randomized_split import RandomizedSplit
from rethink_keras.theory.experiment import Experiment
from rethink_keras.theory.kernel_matrix import PointProducts, Products

CHUNK = 1000  # images worked on at a time


@dataclasses.dataclass(frozen=True)
class Stage:
    """Inner products at one number of features; there is more than one stage if features are added by and by.

    Attributes:
        num_features: so many entered the products.
        num_filters: so many filters made them; None where there are no filters to count.
        products: of train and test examples.
    """

    num_features: int
    num_filters: int | None
    products: Products


class Features(Protocol):
    """Makes features of images."""

    def bytes_needed(self, num_train: int, num_test: int, image_shape: tuple[int, int, int]) -> int:
        """Memory that the products take, with the images they are made of."""
        ...

    def stages(self, train: RandomizedSplit, test: RandomizedSplit, run: Experiment) -> Iterator[Stage]:
        """The products, stage by stage."""
        ...


class FeaturesBuilder(Protocol):
    """Builds features from what gin binds: `@pixels`, `@gabor_wavelets` or `@random_convolutions`."""

    def __call__(self) -> Features:
        """The features."""
        ...


@gin.configurable
@dataclasses.dataclass(frozen=True)
class pixels:
    """The pixels as `preprocessing` leaves them."""

    def bytes_needed(self, num_train, num_test, image_shape):
        """See `Features`."""
        return int(np.prod(image_shape)) * (17 * num_train + 13 * num_test)

    def stages(self, train, test, run):
        """See `Features`."""
        del run
        points = [
            np.concatenate([image.reshape(len(image), -1) for image in standardized(s)])
            for s in (train, test)
        ]
        yield Stage(points[0].shape[1], None, PointProducts(*points))


def standardized(split: RandomizedSplit) -> Iterator[np.ndarray]:
    """Images as a network would see them, float32 `[images, height, width, channels]`, some at a time."""
    for start in range(0, split.num_examples, CHUNK):
        rows = slice(start, min(start + CHUNK, split.num_examples))
        yield split.standardize(split.examples(rows).images).numpy()
