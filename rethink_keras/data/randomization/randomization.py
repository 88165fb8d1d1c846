"""The configured randomization of labels and pixels, applied to the examples of a split."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from typing import NamedTuple

import gin
import numpy as np

from rethink_keras.data import random_bits
from rethink_keras.data.random_bits import Stream
from rethink_keras.data.randomization.labels import LABEL_RANDOMIZATIONS, LabelRandomization
from rethink_keras.data.randomization.pixels import PIXEL_RANDOMIZATIONS, PixelPermutation, PixelRandomization
from rethink_keras.data.sources.image_set import PixelStatistics
from rethink_keras.errors import UserError
from rethink_keras.validation import check_choice, check_number, check_seed

AFTER_CROP, BEFORE_CROP = PERMUTE_WHEN = ("after_crop", "before_crop")


class RandomizedLabels(NamedTuple):
    """int64 `labels` `[examples]`, and bool `corrupted` `[examples]`: this label was replaced by a drawn one."""

    labels: np.ndarray
    corrupted: np.ndarray


@gin.configurable("randomization")
@dataclasses.dataclass(frozen=True)
class Randomization:
    """Which labels and pixels are randomized, and how (section 2.1).

    Attributes:
        labels: 'true'; 'partially_corrupted': each label is replaced with probability `corruption` by one drawn
            uniformly from all classes; 'random': all labels are. Or another name in `LABEL_RANDOMIZATIONS`.
        corruption: Probability p in [0, 1], for 'partially_corrupted' only.
        pixels: 'true'; 'shuffled': one permutation of pixel positions for all images; 'random': another
            permutation for each image; 'gaussian': Gaussian noise in place of the image. Or another name in
            `PIXEL_RANDOMIZATIONS`. It applies to training and test images.
        fraction: Expected fraction of images whose pixels are randomized, drawn from seed and id.
        permute: 'after_crop' permutes the positions of the network's input, so that a shuffled image has exactly
            the pixels of the cropped one; 'before_crop' permutes the whole image, and the crop then loses some
            of its pixels. The paper does not say which.
        randomize_test_labels: Randomize the labels of the test set too, by draws of its own. The companion code
            does; the paper does not say, but every point of its figure 1c lies where it would with test labels
            corrupted alike.
        seed: Seed of all draws; None takes the run's seed.
    """

    labels: str = "true"
    corruption: float | None = None
    pixels: str = "true"
    fraction: float = 1.0
    permute: str = AFTER_CROP
    randomize_test_labels: bool = False
    seed: int | None = None

    def __post_init__(self):
        LABEL_RANDOMIZATIONS.find("randomization.labels", self.labels)
        PIXEL_RANDOMIZATIONS.find("randomization.pixels", self.pixels)
        check_choice("randomization.permute", self.permute, PERMUTE_WHEN)
        self._check_corruption()
        check_number("randomization.fraction", self.fraction, 0, 1)
        if self.seed is not None:
            check_seed("randomization.seed", self.seed)

    def _check_corruption(self) -> None:
        if self.label_randomization.takes_corruption:
            if self.corruption is None:
                raise UserError(
                    f"randomization.labels is {self.labels!r} without a probability. "
                    "Set randomization.corruption between 0 and 1."
                )
            check_number("randomization.corruption", self.corruption, 0, 1)
        elif self.corruption is not None:
            raise UserError(
                f"randomization.corruption is set, but randomization.labels is {self.labels!r}. "
                "Set randomization.labels = 'partially_corrupted', or leave corruption out."
            )

    @property
    def label_randomization(self) -> LabelRandomization:
        """The kind of label randomization, with its options."""
        return LABEL_RANDOMIZATIONS[self.labels](self.corruption)

    @property
    def pixel_randomization(self) -> PixelRandomization:
        """The kind of pixel randomization."""
        return PIXEL_RANDOMIZATIONS[self.pixels]()

    @property
    def requested(self) -> bool:
        """Whether labels or pixels are randomized by configuration, with whatever probability, 0 included."""
        return self.label_randomization.randomized or self.pixel_randomization.randomized

    @property
    def permutes_after_crop(self) -> bool:
        """Whether pixels are permuted within the crop, as opposed to the whole image or not at all."""
        return isinstance(self.pixel_randomization, PixelPermutation) and self.permute == AFTER_CROP

    def with_seed(self, run_seed: int) -> Randomization:
        """Returns this randomization with a seed: its own, else the run's."""
        return self if self.seed is not None else dataclasses.replace(self, seed=run_seed)

    def describe(self) -> str:
        """Returns a few words for logs and plots, such as 'random labels' or 'true labels, shuffled pixels'."""
        words = self.label_randomization.describe(self.labels)
        if not self.pixel_randomization.randomized:
            return words
        part = "" if self.fraction == 1 else f" ({self.fraction:.0%} of the images)"
        return f"{words}, {self.pixels} pixels{part}"

    def randomize_labels(
        self, labels: np.ndarray, ids: np.ndarray, num_classes: int, *, is_test: bool = False
    ) -> RandomizedLabels:
        """Returns the randomized labels; test labels are unchanged unless `randomize_test_labels`.

        Args:
            labels: Array of int, `[examples]`.
            ids: Array of int, `[examples]`.
            num_classes: Number of classes of the data set.
            is_test: Whether these are test examples.
        """
        labels = np.asarray(labels, np.int64)
        kind = self.label_randomization
        if kind.probability == 0 or (is_test and not self.randomize_test_labels):
            return RandomizedLabels(labels, np.zeros(len(labels), bool))
        drawn = kind.draw(ids, num_classes, seed=self._seed, is_test=is_test)
        if np.any(drawn.replaced & ((drawn.labels < 0) | (drawn.labels >= num_classes))):
            raise ValueError(f"{type(kind).__name__} draws labels that are not among {num_classes} classes.")
        return RandomizedLabels(np.where(drawn.replaced, drawn.labels, labels), drawn.replaced)

    def pixels_affected(self, ids: np.ndarray, *, is_test: bool = False) -> np.ndarray:
        """Returns bool `[examples]`: the images whose pixels are randomized."""
        if not self.pixel_randomization.randomized:
            return np.zeros(len(ids), bool)
        words = random_bits.words_by_id(self._seed, Stream.PIXELS_AFFECTED, ids, int(is_test))
        return random_bits.uniform(words[:, 0]) < self.fraction

    def randomize_pixels(
        self,
        images: np.ndarray,
        ids: np.ndarray,
        statistics: PixelStatistics | None,
        *,
        is_test: bool = False,
    ) -> np.ndarray:
        """Returns the images with randomized pixels; train and test images alike.

        Args:
            images: `[examples, height, width, channels]`, any dtype, in 0..255.
            ids: Array of int, `[examples]`.
            statistics: Of the original training images; needed for 'gaussian' only.
            is_test: Whether these are test images.

        Returns:
            The same shape; the same dtype for permutations, float32 for 'gaussian'.
        """
        kind = self.pixel_randomization
        if not kind.randomized:
            return images
        affected = self.pixels_affected(ids, is_test=is_test)
        apply = functools.partial(kind.apply, seed=self._seed, is_test=is_test, statistics=statistics)
        if affected.all():
            return apply(images, ids)
        randomized = apply(images[affected], ids[affected])
        result = images.astype(randomized.dtype)
        result[affected] = randomized
        return result

    def permutations(self, ids: np.ndarray, positions: int, *, is_test: bool = False) -> np.ndarray:
        """Returns the permutations of a `PixelPermutation`: int32 `[examples or 1, positions]`."""
        kind = self.pixel_randomization
        assert isinstance(kind, PixelPermutation)
        return kind.permutations(ids, positions, seed=self._seed, is_test=is_test)

    def fingerprint(self, num_classes: int) -> str:
        """Returns SHA-256 (hex) of what is drawn for ids 0 to 255, train and test.

        Configurations that randomize alike have the same fingerprint, such as 'random' and 'partially_corrupted'
        with corruption 1.
        """
        # 256 draws do not tell a probability of 0.5 from 0.501, so the options are part of it. An option without
        # effect is not.
        kind = self.label_randomization
        with_pixels = self.pixel_randomization.randomized and self.fraction > 0
        with_permutation = with_pixels and isinstance(self.pixel_randomization, PixelPermutation)
        options = (
            kind.fingerprint_key(),
            self.randomize_test_labels and kind.probability > 0,
            (self.pixels, float(self.fraction)) if with_pixels else None,
            self.permute if with_permutation else None,
        )
        digest = hashlib.sha256(repr(options).encode())
        ids = np.arange(256)
        images = np.arange(256 * 16 * 3, dtype=np.uint32).reshape(256, 4, 4, 3)
        standard = PixelStatistics(np.zeros(3), np.ones(3))
        for is_test in (False, True):
            labels = self.randomize_labels(np.zeros(256, np.int64), ids, num_classes, is_test=is_test)
            digest.update(labels.labels.tobytes() + labels.corrupted.tobytes())
            digest.update(self.randomize_pixels(images, ids, standard, is_test=is_test).tobytes())
        return digest.hexdigest()

    @property
    def _seed(self) -> int:
        if self.seed is None:
            raise ValueError("The randomization has no seed yet: call with_seed first.")
        return self.seed
