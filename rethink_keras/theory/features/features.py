"""Features of images for section 5, and the simplest of them: pixels."""

from __future__ import annotations

import abc
import dataclasses
from collections.abc import Iterator

import gin
import numpy as np

from rethink_keras.data.randomized_split import RandomizedSplit
from rethink_keras.theory.experiment import Experiment
from rethink_keras.theory.kernel_matrix import PointProducts, Products
from rethink_keras.theory.parallel import panels

CHUNK = 1000  # images standardized at a time


@dataclasses.dataclass(frozen=True)
class Stage:
    """Inner products of a number of features. Features that are added in steps have a stage a step.

    Attributes:
        num_features: Number of features.
        num_filters: Number of filters that compute them; None for features without random filters.
        products: Inner products of training and test examples.
    """

    num_features: int
    num_filters: int | None
    products: Products


class Features(abc.ABC):
    """Computes features of images and their inner products."""

    @abc.abstractmethod
    def bytes_needed(self, num_train: int, num_test: int, image_shape: tuple[int, int, int]) -> int:
        """Returns the memory of the inner products, with the images or features that they are computed from."""

    @abc.abstractmethod
    def stages(self, train: RandomizedSplit, test: RandomizedSplit, run: Experiment) -> Iterator[Stage]:
        """Yields the stages, with ascending numbers of features. A stage may be changed by the next one."""


@gin.configurable("pixels")
@dataclasses.dataclass(frozen=True)
class PixelFeatures(Features):
    """The pixels after `preprocessing`."""

    def bytes_needed(self, num_train, num_test, image_shape):
        """Returns the memory of the inner products and of what they are computed from; see `Features`."""
        return int(np.prod(image_shape)) * (17 * num_train + 13 * num_test)

    def stages(self, train, test, run):
        """Yields one stage; see `Features`."""
        del run
        points = flat_images(train)
        yield Stage(points.shape[1], None, PointProducts(points, flat_images(test)))


def standardized(split: RandomizedSplit) -> Iterator[np.ndarray]:
    """Yields all images after `preprocessing`, some at a time: float32 `[images, height, width, channels]`."""
    for rows in panels(split.num_examples, CHUNK):
        yield split.standardize(split.examples(rows).images).numpy()


def flat_images(split: RandomizedSplit) -> np.ndarray:
    """Returns all images after `preprocessing` as points: float32 `[images, height * width * channels]`."""
    return np.concatenate([images.reshape(len(images), -1) for images in standardized(split)])
