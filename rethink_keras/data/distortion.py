"""Inception's usual preprocessing of an image of any size: a window, mirrored, with distorted colours.

The constants are those of the TensorFlow model package, whose preprocessing the paper takes for ImageNet (appendix
A). Every random number is an argument, so that the result stays a function of (seed, epoch, id).
"""

from __future__ import annotations

import tensorflow as tf

from rethink_keras.data.augmentation import Augmentation
from rethink_keras.data.preprocessing import MAX_PIXEL

CENTRAL_FRACTION = 0.875  # of height and width, that evaluation takes
AREA = (0.05, 1.0)  # fraction of the image that a random window takes
ASPECT = (3 / 4, 4 / 3)  # width / height
TRIES = 10  # windows drawn for an image; the first that fits into it is taken, or else the whole image
BRIGHTNESS = 32.0  # largest change, of 255
SATURATION = CONTRAST = (0.5, 1.5)  # factors
HUE = 0.2  # largest change, of a full turn
_ORDERS = (  # the order of the four distortions
    ("brightness", "saturation", "hue", "contrast"),
    ("saturation", "brightness", "contrast", "hue"),
    ("contrast", "hue", "brightness", "saturation"),
    ("hue", "saturation", "contrast", "brightness"),
)
# Layout of the random numbers of an image and epoch: 0 top and 1 left of the window, 2 flip, 3 to 6 the distortions,
# 7 their order, then the areas and the aspect ratios of the windows.
DRAWS = 8 + 2 * TRIES


def crop_and_distort(image: tf.Tensor, side: int, augmentation: Augmentation, drawn: tf.Tensor) -> tf.Tensor:
    """Returns the centre of an image, or what the augmentation makes of the image.

    Args:
        image: uint8 `[height, width, 3]`.
        side: Side of the result in pixels; bilinear.
        augmentation: Random crop, flip and colour distortion; a part that is off is as in evaluation.
        drawn: float32 `[DRAWS]` in [0, 1), read by the parts that are on.

    Returns:
        float32 `[side, side, 3]` in 0..255.
    """
    window = random_window(tf.shape(image)[:2], drawn) if augmentation.random_crop else central_window()
    pixels = tf.cast(image, tf.float32)[tf.newaxis]
    resized = tf.image.crop_and_resize(pixels, window[tf.newaxis], [0], (side, side))[0]
    if augmentation.flip:
        resized = tf.where(drawn[2] < 0.5, resized[:, ::-1], resized)
    return distort_colors(resized, drawn[3:8]) if augmentation.color_distortion else resized


def central_window() -> tf.Tensor:
    """Returns the centre window for `tf.image.crop_and_resize`: top, left, bottom, right as fractions of the sides."""
    edge = (1 - CENTRAL_FRACTION) / 2
    return tf.constant([edge, edge, 1 - edge, 1 - edge])


def random_window(size: tf.Tensor, drawn: tf.Tensor) -> tf.Tensor:
    """Returns a window of random area, aspect ratio and position, in the form of `central_window`.

    Args:
        size: Height and width in pixels.
        drawn: float32 `[DRAWS]` in [0, 1).
    """
    height, width = tf.cast(size[0], tf.float32), tf.cast(size[1], tf.float32)
    areas = height * width * _between(AREA, drawn[8 : 8 + TRIES])
    aspects = _between(ASPECT, drawn[8 + TRIES :])
    heights, widths = tf.sqrt(areas / aspects) / height, tf.sqrt(areas * aspects) / width
    fits = (heights <= 1) & (widths <= 1)
    first = tf.argmax(tf.cast(fits, tf.int32))  # the first of several ones
    window_height, window_width = (
        tf.where(tf.reduce_any(fits), sides[first], 1.0) for sides in (heights, widths)
    )
    top, left = drawn[0] * (1 - window_height), drawn[1] * (1 - window_width)
    return tf.stack([top, left, top + window_height, left + window_width])


def distort_colors(image: tf.Tensor, drawn: tf.Tensor) -> tf.Tensor:
    """Returns an image with changed brightness, saturation, hue and contrast, in one of four orders.

    Args:
        image: float32 `[height, width, 3]` in 0..255.
        drawn: float32 `[5]` in [0, 1): one for each change, then one for the order.

    Returns:
        The same shape, clipped to 0..255.
    """
    changes = {
        "brightness": lambda x: x + _between((-BRIGHTNESS, BRIGHTNESS), drawn[0]) / MAX_PIXEL,
        "saturation": lambda x: tf.image.adjust_saturation(x, _between(SATURATION, drawn[1])),
        "hue": lambda x: tf.image.adjust_hue(x, _between((-HUE, HUE), drawn[2])),
        "contrast": lambda x: tf.image.adjust_contrast(x, _between(CONTRAST, drawn[3])),
    }

    def changed(order):
        x = image / MAX_PIXEL
        for name in order:
            x = changes[name](x)
        return x

    chosen = tf.cast(drawn[4] * len(_ORDERS), tf.int32)
    distorted = tf.switch_case(chosen, [lambda order=order: changed(order) for order in _ORDERS])
    return MAX_PIXEL * tf.clip_by_value(distorted, 0.0, 1.0)


def _between(bounds, uniform):
    low, high = bounds
    return low + uniform * (high - low)
