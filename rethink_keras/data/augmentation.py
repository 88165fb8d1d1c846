"""Augmentation drawn anew each epoch, as a function of (seed, epoch, id): random crop, flip, rotation.

Training images only; test images are never augmented. This file augments sets in memory; for ImageNet, whose
pictures differ in size, see `distortion`.
"""

from __future__ import annotations

import dataclasses
import math
from typing import NamedTuple

import gin
import numpy as np
import tensorflow as tf

from rethink_keras.data import random_bits
from rethink_keras.data.random_bits import Stream
from rethink_keras.errors import UserError
from rethink_keras.validation import check_int, check_number

MOST_PADDING = 1000  # pixels


class Draws(NamedTuple):
    """One epoch's draws, a row an example: int32 `top`, `left`, bool `flip`, float32 `angle` in radians."""

    top: np.ndarray
    left: np.ndarray
    flip: np.ndarray
    angle: np.ndarray


@gin.configurable("augmentation")
@dataclasses.dataclass(frozen=True)
class Augmentation:
    """Which augmentation; None leaves a part to the defaults of `training.regularization`.

    Attributes:
        random_crop: a random window of the network's input size in place of the centre one (appendix A); of
            ImageNet's pictures, a part of random area, aspect and place.
        padding: black pixels put around the image before the random crop; the companion code pads 4.
        flip: mirror left and right with probability 1/2.
        rotation: rotate by an angle uniform in plus and minus so many degrees (appendix E: 25), bilinear,
            what comes in from outside being reflected.
        color_distortion: random brightness, saturation, hue and contrast, for ImageNet.
    """

    random_crop: bool | None = None
    padding: int | None = None
    flip: bool | None = None
    rotation: float | None = None
    color_distortion: bool | None = None

    def __post_init__(self):
        for name in ("random_crop", "flip", "color_distortion"):
            if getattr(self, name) not in (None, True, False):
                raise UserError(f"augmentation.{name} is {getattr(self, name)!r}. Give True or False.")
        if self.padding is not None:
            check_int("augmentation.padding", self.padding, 0, MOST_PADDING)
        if self.rotation is not None:
            check_number("augmentation.rotation", self.rotation, 0, 180)
        if self.padding and not self.random_crop:
            raise UserError(
                "augmentation.padding does nothing without a random crop. Set augmentation.random_crop = True."
            )

    @property
    def in_force(self) -> bool:
        """Whether any image is changed."""
        return bool(self.random_crop or self.flip or self.rotation or self.color_distortion)

    def describe(self) -> str:
        """A few words for logs, such as 'random crop, flip'."""
        parts = []
        if self.random_crop:
            parts.append("random crop" + (f" after padding by {self.padding}" if self.padding else ""))
        if self.flip:
            parts.append("left-right flip")
        if self.rotation:
            parts.append(f"rotation up to {self.rotation:g} degrees")
        if self.color_distortion:
            parts.append("colour distortion")
        return ", ".join(parts) or "none"


def draw(
    how: Augmentation,
    seed: int,
    epoch: int,
    ids: np.ndarray,
    image_size: tuple[int, int],
    crop: tuple[int, int],
) -> Draws:
    """Draws one epoch's augmentation.

    Args:
        how: what to augment.
        seed: the run's.
        epoch: counted from 0.
        ids: int array `[examples]`.
        image_size: height and width of the source images.
        crop: height and width of the network's input.
    """
    words = random_bits.words_by_id(seed, Stream.AUGMENTATION, ids, epoch)
    room = [size + 2 * (how.padding or 0) - window for size, window in zip(image_size, crop, strict=True)]
    if how.random_crop:
        top, left = (random_bits.integers(words[:, k], room[k] + 1) for k in range(2))
    else:
        top, left = (np.full(len(ids), room[k] // 2) for k in range(2))
    flip = random_bits.uniform(words[:, 2]) < (0.5 if how.flip else 0.0)
    angle = (2 * random_bits.uniform(words[:, 3]) - 1) * math.radians(how.rotation or 0)
    return Draws(top.astype(np.int32), left.astype(np.int32), flip, angle.astype(np.float32))


def apply(how: Augmentation, images: tf.Tensor, drawn: Draws, crop: tuple[int, int]) -> tf.Tensor:
    """Augments a batch: rotation of the whole image, then padding and crop, then flip.

    Args:
        how: what to augment.
        images: `[batch, height, width, channels]` in 0..255.
        drawn: of these examples, as tensors `[batch]`.
        crop: height and width of the result.

    Returns:
        `[batch, crop height, crop width, channels]`; float32 if rotated, else the dtype of `images`.
    """
    if how.rotation:
        images = _rotate(tf.cast(images, tf.float32), drawn.angle)
    if how.padding:
        images = tf.pad(images, [[0, 0], [how.padding] * 2, [how.padding] * 2, [0, 0]])
    height, width, channels = images.shape[1:]
    rows = drawn.top[:, tf.newaxis] + tf.range(crop[0])
    columns = drawn.left[:, tf.newaxis] + tf.range(crop[1])
    if how.flip:
        columns = tf.where(drawn.flip[:, tf.newaxis], columns[:, ::-1], columns)
    # One gather of pixels from the flat batch: four times faster than cropping rows, then columns.
    first_row = tf.range(tf.shape(images)[0])[:, tf.newaxis] * height
    positions = (first_row + rows)[:, :, tf.newaxis] * width + columns[:, tf.newaxis, :]
    return tf.gather(tf.reshape(images, (-1, channels)), positions)


def _rotate(images: tf.Tensor, angle: tf.Tensor) -> tf.Tensor:
    height, width = images.shape[1], images.shape[2]
    cos, sin = tf.cos(angle), tf.sin(angle)
    x, y = (width - 1) / 2, (height - 1) / 2
    zero = tf.zeros_like(angle)
    # The eight numbers of a projective map from output to input pixels, about the centre of the image.
    rows = [cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y, zero, zero]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack(rows, axis=1),
        output_shape=tf.constant([height, width]),
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )
