"""Augmentation of training images: random crop, flip and rotation, drawn as a function of (seed, epoch, id).

Test images are never augmented. This module augments sets in memory; for ImageNet, whose images differ in size, see
`distortion`.
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
    """One epoch's draws.

    Attributes:
        top: int64 `[examples]`, first row of the window in the padded image.
        left: int64 `[examples]`, first column.
        flip: bool `[examples]`.
        angle: float32 `[examples]`, counter-clockwise, in radians.
    """

    top: np.ndarray
    left: np.ndarray
    flip: np.ndarray
    angle: np.ndarray


@gin.configurable("augmentation")
@dataclasses.dataclass(frozen=True)
class Augmentation:
    """The configured augmentation; None leaves a part to the defaults of `training.regularization`.

    Attributes:
        random_crop: Take a random window of the network's input size in place of the centre one (appendix A); of
            an ImageNet image, a window of random area, aspect ratio and position.
        padding: Width in pixels of a black border added before the random crop; the companion code adds 4.
        flip: Mirror left and right with probability 1/2.
        rotation: Largest angle in degrees (appendix E: 25). The angle is uniform between minus and plus this;
            bilinear, with the image reflected beyond its border.
        color_distortion: Change brightness, saturation, hue and contrast at random, for ImageNet.
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
        """Returns a few words for logs, such as 'random crop, flip'."""
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
        self, seed: int, epoch: int, ids: np.ndarray, image_size: tuple[int, int], crop: tuple[int, int]
    ) -> Draws:
        """Draws one epoch's augmentation. What is switched on does not change the draws of the other parts.

        Args:
            seed: The run's seed.
            epoch: Counted from 0.
            ids: Array of int, `[examples]`.
            image_size: Height and width of the source images.
            crop: Height and width of the network's input.
        """
        words = random_bits.words_by_id(seed, Stream.AUGMENTATION, ids, epoch)
        room = [
            size + 2 * (self.padding or 0) - window for size, window in zip(image_size, crop, strict=True)
        ]
        if self.random_crop:
            top, left = (random_bits.integers(words[:, k], room[k] + 1) for k in range(2))
        else:
            top, left = (np.full(len(ids), room[k] // 2) for k in range(2))
        flip = random_bits.uniform(words[:, 2]) < (0.5 if self.flip else 0.0)
        angle = (2 * random_bits.uniform(words[:, 3]) - 1) * math.radians(self.rotation or 0)
        return Draws(top.astype(np.int64), left.astype(np.int64), flip, angle.astype(np.float32))

    def apply(self, images: tf.Tensor, drawn: Draws, crop: tuple[int, int]) -> tf.Tensor:
        """Augments a batch: rotation of the whole image, then padding and crop, then flip.

        Args:
            images: `[batch, height, width, channels]` in 0..255.
            drawn: The draws of these examples, as tensors `[batch]`.
            crop: Height and width of the result.

        Returns:
            `[batch, crop height, crop width, channels]`; float32 if rotated, else the dtype of `images`.
        """
        if self.rotation:
            images = _rotate(tf.cast(images, tf.float32), drawn.angle)
        if self.padding:
            images = tf.pad(images, [[0, 0], [self.padding] * 2, [self.padding] * 2, [0, 0]])
        height, width, channels = images.shape[1:]
        rows = drawn.top[:, tf.newaxis] + tf.range(crop[0], dtype=tf.int64)
        columns = drawn.left[:, tf.newaxis] + tf.range(crop[1], dtype=tf.int64)
        if self.flip:
            columns = tf.where(drawn.flip[:, tf.newaxis], columns[:, ::-1], columns)
        # One gather of pixels from the flat batch is four times faster than cropping rows, then columns.
        first_row = tf.range(tf.shape(images, tf.int64)[0])[:, tf.newaxis] * height
        positions = (first_row + rows)[:, :, tf.newaxis] * width + columns[:, tf.newaxis, :]
        return tf.gather(tf.reshape(images, (-1, channels)), positions)


NO_AUGMENTATION = Augmentation(False, 0, False, 0.0, False)


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
