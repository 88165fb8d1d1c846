"""The randomization tests of section 2.1: labels and pixels as pure functions of (seed, example id).

The same over epochs, processes, hosts, shards, batch sizes, orders and restarts, since nothing is drawn from
a running generator: every draw is computed from the seed and the id of the example (see `random_bits`).
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import NamedTuple

import gin
import numpy as np

from rethink_keras.data import random_bits
from rethink_keras.data.random_bits import Stream
from rethink_keras.errors import UserError
from rethink_keras.validation import check_choice, check_number, check_seed

LABEL_KINDS = ("true", "partially_corrupted", "random")
PIXEL_KINDS = ("true", "shuffled", "random", "gaussian")
PERMUTE_WHEN = ("after_crop", "before_crop")


class PixelStatistics(NamedTuple):
    """Mean and standard deviation of the original training images, float64 `[channels]`, in 0..255."""

    mean: np.ndarray
    std: np.ndarray


class RandomizedLabels(NamedTuple):
    """int64 `labels` `[examples]`, and bool `corrupted` `[examples]`: this label was drawn anew."""

    labels: np.ndarray
    corrupted: np.ndarray


@gin.configurable("randomization")
@dataclasses.dataclass(frozen=True)
class Randomization:
    """Which labels and pixels are randomized, and how (section 2.1).

    Attributes:
        labels: 'true'; 'partially_corrupted': independently with probability `corruption`, a label is
            replaced by one drawn uniformly from all classes (it may be the true one again); 'random': all are
            replaced, the same draws as 'partially_corrupted' with `corruption` 1. Draws are nested: an image
            corrupted at a lower `corruption` is corrupted at a higher one, with the same new label.
        corruption: probability p, only with 'partially_corrupted'.
        pixels: 'true'; 'shuffled': one permutation of pixel positions for all images, train and test;
            'random': another permutation for each image; 'gaussian': every pixel drawn from a Gaussian with
            the mean and variance of the original training images, channel by channel, neither rounded nor
            clipped, so that both are matched. A pixel's channels stay together in a permutation.
        fraction: share of images whose pixels are randomized, drawn for each image by seed and id.
        permute: 'after_crop' permutes the positions the network sees, so that shuffled images hold the very
            pixels of the true ones; 'before_crop' permutes the whole image and lets the crop lose some. The
            paper does not say which. Gaussian pixels are the same in law either way and drawn before.
        randomize_test_labels: also for the test set, by draws of its own. The companion code does; the paper does
            not say, but every point of its figure 1c lies where it would with test labels corrupted alike.
        seed: seed of the maps; None takes the run's seed.
    """

    labels: str = "true"
    corruption: float | None = None
    pixels: str = "true"
    fraction: float = 1.0
    permute: str = "after_crop"
    randomize_test_labels: bool = False
    seed: int | None = None

    def __post_init__(self):
        check_choice("randomization.labels", self.labels, LABEL_KINDS)
        check_choice("randomization.pixels", self.pixels, PIXEL_KINDS)
        check_choice("randomization.permute", self.permute, PERMUTE_WHEN)
        if self.labels == "partially_corrupted":
            if self.corruption is None:
                raise UserError(
                    "randomization.labels is 'partially_corrupted' without a probability. "
                    "Set randomization.corruption between 0 and 1."
                )
            check_number("randomization.corruption", self.corruption, 0, 1)
        elif self.corruption is not None:
            raise UserError(
                f"randomization.corruption is set, but randomization.labels is '{self.labels}'. "
                "Set randomization.labels = 'partially_corrupted', or leave corruption out."
            )
        check_number("randomization.fraction", self.fraction, 0, 1)
        if self.seed is not None:
            check_seed("randomization.seed", self.seed)

    @property
    def probability(self) -> float:
        """The probability with which a training label is replaced."""
        return {"true": 0.0, "random": 1.0}.get(self.labels, self.corruption or 0.0)

    @property
    def requested(self) -> bool:
        """Whether labels or pixels of another kind than 'true' are requested, with whatever probability."""
        return self.labels != "true" or self.pixels != "true"

    def with_seed(self, run_seed: int) -> Randomization:
        """This randomization with its seed settled: its own, else the run's."""
        return self if self.seed is not None else dataclasses.replace(self, seed=run_seed)

    def describe(self) -> str:
        """A few words for logs and plots, such as 'random labels' or 'true labels, shuffled pixels'."""
        labels = {
            "partially_corrupted": f"labels corrupted with probability {self.probability:g}",
        }.get(self.labels, f"{self.labels} labels")
        if self.pixels == "true":
            return labels
        share = "" if self.fraction == 1 else f" ({self.fraction:.0%} of the images)"
        return f"{labels}, {self.pixels} pixels{share}"


def randomize_labels(
    how: Randomization, labels: np.ndarray, ids: np.ndarray, num_classes: int, *, is_test: bool = False
) -> RandomizedLabels:
    """Labels with the corruption of section 2.1; test labels are left alone unless asked for.

    Args:
        how: with its seed settled (`with_seed`).
        labels: int array `[examples]`.
        ids: int array `[examples]`.
        num_classes: labels are drawn uniformly from `range(num_classes)`.
        is_test: these are test examples; their draws are others than those of the training set.
    """
    labels = np.asarray(labels, np.int64)
    if how.probability == 0 or (is_test and not how.randomize_test_labels):
        return RandomizedLabels(labels, np.zeros(len(labels), bool))
    seed, epoch = _seed(how), int(is_test)
    chance = random_bits.uniform(random_bits.words_by_id(seed, Stream.CORRUPTED, ids, epoch)[:, 0])
    drawn = random_bits.integers(random_bits.words_by_id(seed, Stream.LABEL, ids, epoch)[:, 0], num_classes)
    corrupted = chance < how.probability
    return RandomizedLabels(np.where(corrupted, drawn, labels), corrupted)


def pixels_affected(how: Randomization, ids: np.ndarray, *, is_test: bool = False) -> np.ndarray:
    """Bool array `[examples]`: the images whose pixels are randomized."""
    if how.pixels == "true":
        return np.zeros(len(ids), bool)
    words = random_bits.words_by_id(_seed(how), Stream.PIXELS_AFFECTED, ids, int(is_test))
    return random_bits.uniform(words[:, 0]) < how.fraction


def randomize_pixels(
    how: Randomization,
    images: np.ndarray,
    ids: np.ndarray,
    statistics: PixelStatistics | None,
    *,
    is_test: bool = False,
) -> np.ndarray:
    """Images with the pixel randomization of section 2.1, which applies to train and test alike.

    Args:
        how: with its seed settled.
        images: `[examples, height, width, channels]`, any dtype, in 0..255.
        ids: int array `[examples]`.
        statistics: of the original training images; needed for 'gaussian' only.
        is_test: these are test examples, whose own permutations and noise are others.

    Returns:
        The same shape; the same dtype, but float32 for 'gaussian'.
    """
    if how.pixels == "true":
        return images
    affected = np.flatnonzero(pixels_affected(how, ids, is_test=is_test))
    result = images.astype(np.float32) if how.pixels == "gaussian" else images.copy()
    _, height, width, channels = images.shape
    if how.pixels == "gaussian":
        if statistics is None:
            raise ValueError("Gaussian pixels need the statistics of the training images.")
        mean, std = statistics.mean.astype(np.float32), statistics.std.astype(np.float32)
        for row in affected:
            noise = random_bits.normal(
                _seed(how), Stream.GAUSSIAN, _depth_id(ids[row], is_test), result[row].size
            )
            result[row] = noise.reshape(height, width, channels) * std + mean
        return result
    flat = result.reshape(len(images), height * width, channels)
    if how.pixels == "shuffled":
        flat[affected] = flat[affected][:, shared_permutation(how, height * width)]
    else:
        orders = own_permutations(how, ids[affected], height * width, is_test=is_test)
        for row, order in zip(affected, orders, strict=True):
            flat[row] = flat[row][order]
    return result


def shared_permutation(how: Randomization, positions: int) -> np.ndarray:
    """The one permutation of 'shuffled' pixels: int64 `[positions]`; it depends on the seed alone."""
    return random_bits.permutation(_seed(how), Stream.SHARED_PERMUTATION, 0, positions)


def own_permutations(
    how: Randomization, ids: np.ndarray, positions: int, *, is_test: bool = False
) -> np.ndarray:
    """The permutations of 'random' pixels: int32 `[examples, positions]`, a row an example."""
    rows = [
        random_bits.permutation(_seed(how), Stream.OWN_PERMUTATION, _depth_id(i, is_test), positions)
        for i in ids
    ]
    return np.array(rows, dtype=np.int32).reshape(len(ids), positions)


def fingerprint(how: Randomization, num_classes: int) -> str:
    """SHA-256 (hex) of what this randomization draws for ids 0 to 255, train and test: equal for equal maps."""
    # The probabilities stand in it too: 256 draws do not tell 0.5 from 0.501. So does what no draw shows.
    with_pixels = how.pixels != "true" and how.fraction > 0
    law = (
        float(how.probability),
        how.randomize_test_labels and how.probability > 0,
        (how.pixels, float(how.fraction)) if with_pixels else None,
        how.permute if with_pixels and how.pixels != "gaussian" else None,
    )
    digest = hashlib.sha256(repr(law).encode())
    ids = np.arange(256)
    images = np.arange(256 * 16 * 3, dtype=np.uint32).reshape(256, 4, 4, 3)
    unit = PixelStatistics(np.zeros(3), np.ones(3))
    for is_test in (False, True):
        labels = randomize_labels(how, np.zeros(256, np.int64), ids, num_classes, is_test=is_test)
        digest.update(labels.labels.tobytes() + labels.corrupted.tobytes())
        digest.update(randomize_pixels(how, images, ids, unit, is_test=is_test).tobytes())
    return digest.hexdigest()


def _seed(how: Randomization) -> int:
    if how.seed is None:
        raise ValueError("The randomization has no seed yet: call with_seed first.")
    return how.seed


def _depth_id(example_id: int, is_test: bool) -> int:
    # The top bit tells test examples from training examples of the same id.
    return int(example_id) | (int(is_test) << 63)
