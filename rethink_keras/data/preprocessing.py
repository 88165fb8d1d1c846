"""Preprocessing of every image: scaling to [0, 1], centre crop and standardization (appendix A)."""

from __future__ import annotations

import dataclasses
from typing import TypeVar

import gin
import numpy as np
import tensorflow as tf

from rethink_keras.data.sources import PixelStatistics
from rethink_keras.errors import UserError
from rethink_keras.validation import check_choice, check_int, check_number

NORMALIZATIONS = ("per_image", "channel", "symmetric", "none")
MAX_PIXEL = 255.0

Images = TypeVar("Images", np.ndarray, tf.Tensor)


@gin.configurable("preprocessing")
@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """The configured crop and standardization.

    Attributes:
        crop: Side in pixels of the centre crop; None keeps the whole image. The paper takes 28 of CIFAR's 32.
        normalization: 'per_image', the paper's: mean 0 and variance 1 over all values of an image; 'channel', the
            companion code's: the same over all training images for each channel; 'symmetric', usual for
            Inception V3: values in [-1, 1]; 'none': values in [0, 1].
        channel_mean: For 'channel', a number in 0..255 for each channel; None measures the training images.
        channel_std: Likewise.
    """

    crop: int | None = None
    normalization: str = "per_image"
    channel_mean: tuple[float, ...] | None = None
    channel_std: tuple[float, ...] | None = None

    def __post_init__(self):
        check_choice("preprocessing.normalization", self.normalization, NORMALIZATIONS)
        if self.crop is not None:
            check_int("preprocessing.crop", self.crop, 1)
        for name, least in (("channel_mean", 0), ("channel_std", 1e-3)):
            values = getattr(self, name)
            if values is not None and not isinstance(values, (tuple, list)):
                raise UserError(
                    f"preprocessing.{name} is {values!r}. Give a number for each channel in brackets."
                )
            for value in values or ():
                check_number(f"preprocessing.{name}", value, least, MAX_PIXEL)
        given = (self.channel_mean is not None) + (self.channel_std is not None)
        if given == 1 or (given and self.normalization != "channel"):
            raise UserError(
                "preprocessing.channel_mean and channel_std go together, and with normalization 'channel'. "
                "Set all three, or leave the two out."
            )

    def output_shape(self, image_shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """Returns the network's `(height, width, channels)` for images of `image_shape`.

        Raises:
            UserError: The crop is larger than the image, or the channel statistics are for other channels.
        """
        height, width, channels = image_shape
        for name in ("channel_mean", "channel_std"):
            values = getattr(self, name)
            if values is not None and len(values) != channels:
                raise UserError(
                    f"preprocessing.{name} has {len(values)} numbers, but the images have {channels} channels. "
                    "Give one for each channel."
                )
        if self.crop is None:
            return image_shape
        if self.crop > min(height, width):
            raise UserError(
                f"preprocessing.crop is {self.crop}, but the images are {height} x {width} pixels. "
                "Set a smaller crop, or None for the whole image."
            )
        return self.crop, self.crop, channels

    def channel_statistics(self, measured: PixelStatistics | None) -> PixelStatistics:
        """Returns the configured mean and deviation of each channel, else those measured on the training images.

        Raises:
            UserError: Neither is known.
        """
        if self.channel_mean is None or self.channel_std is None:
            if measured is None:
                raise UserError(
                    "The mean of each channel is not known for this streamed data set. Set "
                    "preprocessing.channel_mean and preprocessing.channel_std."
                )
            return measured
        return PixelStatistics(np.array(self.channel_mean, float), np.array(self.channel_std, float))

    def standardize(self, images: tf.Tensor, statistics: PixelStatistics | None) -> tf.Tensor:
        """Scales and standardizes images.

        Args:
            images: `[batch, height, width, channels]` in 0..255, any real dtype.
            statistics: Measured on the original training images; only 'channel' uses them, None if they are not known.

        Returns:
            float32, the same shape.
        """
        scaled = tf.cast(images, tf.float32) / MAX_PIXEL
        if self.normalization == "per_image":
            # Divides by max(std, 1/sqrt(values)): the floor keeps the noise of a nearly constant image small.
            # The mean is over all values of the image, and so differences between channels stay.
            return tf.image.per_image_standardization(scaled)
        if self.normalization == "channel":
            mean, std = self.channel_statistics(statistics)
            return (scaled - (mean / MAX_PIXEL).astype(np.float32)) / (std / MAX_PIXEL).astype(np.float32)
        return 2 * scaled - 1 if self.normalization == "symmetric" else scaled


def center_crop(images: Images, height: int, width: int) -> Images:
    """Returns the centre window of images `[examples, height, width, channels]`, rounded to the upper left."""
    top, left = (images.shape[1] - height) // 2, (images.shape[2] - width) // 2
    return images[:, top : top + height, left : left + width]
