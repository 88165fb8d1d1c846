"""What is done to the pixels of an image: the kinds that `randomization.pixels` names (section 2.1)."""

from __future__ import annotations

import abc
from typing import ClassVar

import numpy as np

from rethink_keras.data import random_bits
from rethink_keras.data.random_bits import Stream
from rethink_keras.data.sources.image_set import PixelStatistics
from rethink_keras.registry import Registry, subclass_of


class PixelRandomization(abc.ABC):
    """A kind of pixel randomization. Register a subclass in `PIXEL_RANDOMIZATIONS`.

    Derive from `PixelPermutation` if pixels change their places and nothing else.

    Attributes:
        randomized: Whether images are changed. Explicit regularization is then off by default, as in the paper's
            randomization tests (section 2.2).
    """

    randomized: ClassVar[bool] = True

    @abc.abstractmethod
    def apply(
        self,
        images: np.ndarray,
        ids: np.ndarray,
        *,
        seed: int,
        is_test: bool,
        statistics: PixelStatistics | None,
    ) -> np.ndarray:
        """Returns randomized images, each a pure function of the image, its id and the other arguments.

        Args:
            images: `[examples, height, width, channels]`, any dtype, in 0..255; not changed. There may be none.
            ids: Array of int, `[examples]`.
            seed: Seed of the randomization.
            is_test: Whether these are test images, which have the same ids as training images.
            statistics: Of the original training images, if they are known.

        Returns:
            A new array of the same shape; of a dtype that does not depend on the values.
        """


PIXEL_RANDOMIZATIONS: Registry[type[PixelRandomization]] = Registry(
    "pixel randomization", subclass_of(PixelRandomization)
)


class PixelPermutation(PixelRandomization):
    """A kind that permutes the positions of an image; the channels of a pixel stay together.

    `randomization.permute` decides whether positions of the crop or of the whole image are permuted. For
    augmented images, the permutation follows the random crop in TensorFlow (see `AugmentedPipeline`).
    """

    @abc.abstractmethod
    def permutations(self, ids: np.ndarray, positions: int, *, seed: int, is_test: bool) -> np.ndarray:
        """Returns int32 `[examples, positions]`, or `[1, positions]` if all images share one permutation.

        Position k of a randomized image gets the pixel of position `permutations[..., k]`, counted along rows.
        """

    def apply(self, images, ids, *, seed, is_test, statistics) -> np.ndarray:
        """Returns permuted images, see `PixelRandomization.apply`."""
        count, height, width, channels = images.shape
        flat = images.reshape(count, height * width, channels)
        orders = self.permutations(ids, height * width, seed=seed, is_test=is_test)
        permuted = flat[:, orders[0]] if len(orders) == 1 else flat[np.arange(count)[:, np.newaxis], orders]
        return permuted.reshape(images.shape)


@PIXEL_RANDOMIZATIONS.register("true")
class TruePixels(PixelRandomization):
    """The images of the data set."""

    randomized = False

    def apply(self, images, ids, *, seed, is_test, statistics) -> np.ndarray:
        """Returns a copy."""
        return images.copy()


@PIXEL_RANDOMIZATIONS.register("shuffled")
class ShuffledPixels(PixelPermutation):
    """One permutation for all images, train and test; it depends on the seed alone."""

    def permutations(self, ids: np.ndarray, positions: int, *, seed: int, is_test: bool) -> np.ndarray:
        """Returns int32 `[1, positions]`."""
        order = random_bits.permutation(seed, Stream.SHARED_PERMUTATION, 0, positions)
        return order[np.newaxis].astype(np.int32)


@PIXEL_RANDOMIZATIONS.register("random")
class RandomPixels(PixelPermutation):
    """Another permutation for each image."""

    def permutations(self, ids: np.ndarray, positions: int, *, seed: int, is_test: bool) -> np.ndarray:
        """Returns int32 `[examples, positions]`."""
        stream = Stream.OWN_PERMUTATION
        orders = [random_bits.permutation(seed, stream, unique_id(i, is_test), positions) for i in ids]
        return np.array(orders, np.int32).reshape(len(ids), positions)


@PIXEL_RANDOMIZATIONS.register("gaussian")
class GaussianPixels(PixelRandomization):
    """Draws every value from a Gaussian with the mean and variance of its channel over the training images.

    The values are neither rounded nor clipped to 0..255, so that mean and variance both match. A Gaussian image
    is the same in distribution cropped or not, so it is drawn before the crop.
    """

    def apply(self, images, ids, *, seed, is_test, statistics) -> np.ndarray:
        """Returns float32 images, see `PixelRandomization.apply`."""
        if statistics is None:
            raise ValueError("Gaussian pixels need the statistics of the training images.")
        mean, std = statistics.mean.astype(np.float32), statistics.std.astype(np.float32)
        result = np.empty(images.shape, np.float32)
        for image, example_id in zip(result, ids, strict=True):
            noise = random_bits.normal(seed, Stream.GAUSSIAN, unique_id(example_id, is_test), image.size)
            image[...] = noise.reshape(image.shape) * std + mean
        return result


def unique_id(example_id: int, is_test: bool) -> int:
    """Returns an id below 2**64 that is different for a training and a test example of the same id."""
    return int(example_id) | (int(is_test) << 63)
