"""What every image goes through before the network: scaling to [0, 1], centre crop, standardization (appendix A)."""

from __future__ import annotations

import dataclasses

import gin
import numpy as np
import tensorflow as tf

from rethink_keras.data.randomization import PixelStatistics
from rethink_keras.errors import UserError
from rethink_keras.validation import check_choice, check_int, check_number

NORMALIZATIONS = ("per_image", "channel", "symmetric", "none")
MAX_PIXEL = 255.0


@gin.configurable("preprocessing")
@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """Crop and standardization.

    Attributes:
        crop: side in pixels of the centre crop; None keeps the whole image. The paper takes 28 of CIFAR's 32.
        normalization: 'per_image': subtract the mean over all values of the image and divide by the adjusted
            deviation max(std, 1/sqrt(values)), the paper's; 'channel': channel-wise mean and deviation, the
            companion code's; 'symmetric': values in [-1, 1], the custom for Inception V3; 'none': in [0, 1].
        channel_mean: for 'channel', a number for each channel in 0..255; None measures the training images.
        channel_std: likewise.
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
        """`(height, width, channels)` that the network sees, for images of `image_shape`.

        Raises:
            UserError: if the crop is larger than the image, or the channels are not those given.
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

    def channel_statistics(self, measured: PixelStatistics) -> PixelStatistics:
        """The channel-wise mean and deviation: those given, else `measured` on the training images."""
        if self.channel_mean is None or self.channel_std is None:
            return measured
        return PixelStatistics(np.array(self.channel_mean, float), np.array(self.channel_std, float))


def center_crop(images: np.ndarray, height: int, width: int) -> np.ndarray:
    """The centre window of images `[examples, height, width, channels]`, rounded to the upper left."""
    top, left = (images.shape[1] - height) // 2, (images.shape[2] - width) // 2
    return images[:, top : top + height, left : left + width]


def standardize(images: tf.Tensor, how: Preprocessing, statistics: PixelStatistics) -> tf.Tensor:
    """Scales and standardizes.

    Args:
        images: `[batch, height, width, channels]` in 0..255, any real dtype.
        how: what to do.
        statistics: measured on the original training images; used by 'channel' alone.

    Returns:
        float32, the same shape.
    """
    scaled = tf.cast(images, tf.float32) / MAX_PIXEL
    if how.normalization == "per_image":
        return tf.image.per_image_standardization(scaled)
    if how.normalization == "channel":
        mean, std = how.channel_statistics(statistics)
        return (scaled - (mean / MAX_PIXEL).astype(np.float32)) / (std / MAX_PIXEL).astype(np.float32)
    return 2 * scaled - 1 if how.normalization == "symmetric" else scaled
