"""How Inception's usual preprocessing sees a picture of any size: a window of it, mirrored, in other colours.

The figures are those of the TensorFlow model package, whose preprocessing the paper takes for ImageNet. Every
random number comes in as an argument, so that what is drawn stays a function of (seed, epoch, id).
"""

from __future__ import annotations

import tensorflow as tf

from rethink_keras.data.augmentation import Augmentation
from rethink_keras.data.preprocessing import MAX_PIXEL

CENTRAL_FRACTION = 0.875  # of height and width, that evaluation looks at
AREA = (0.05, 1.0)  # share of the picture that a random window takes
ASPECT = (3 / 4, 4 / 3)  # width by height
TRIES = 10  # windows drawn for a picture; the first that fits into it is taken, or else the whole picture
BRIGHTNESS = 32.0  # plus or minus so much, of 255
SATURATION = CONTRAST = (0.5, 1.5)
HUE = 0.2  # plus or minus so much, of a turn
_ORDERS = (  # in which the four distortions follow each other
    ("brightness", "saturation", "hue", "contrast"),
    ("saturation", "brightness", "contrast", "hue"),
    ("contrast", "hue", "brightness", "saturation"),
    ("hue", "saturation", "contrast", "brightness"),
)
DRAWS = 8 + 2 * TRIES  # numbers in [0, 1) for a picture and epoch


def see(picture: tf.Tensor, side: int, how: Augmentation, drawn: tf.Tensor) -> tf.Tensor:
    """A picture as the network is to see it: its centre, or what the augmentation makes of it.

    Args:
        picture: uint8 `[height, width, 3]`.
        side: of the result, in pixels; bilinear.
        how: random crop, flip and colour distortion; what is off stays as in evaluation.
        drawn: float32 `[DRAWS]` in [0, 1), used by what is on.

    Returns:
        float32 `[side, side, 3]` in 0..255.
    """
    window = random_window(tf.shape(picture)[:2], drawn) if how.random_crop else central_window()
    pixels = tf.cast(picture, tf.float32)[tf.newaxis]
    image = tf.image.crop_and_resize(pixels, window[tf.newaxis], [0], (side, side))[0]
    if how.flip:
        image = tf.where(drawn[2] < 0.5, image[:, ::-1], image)
    return distort_colors(image, drawn[3:8]) if how.color_distortion else image


def central_window() -> tf.Tensor:
    """The centre of a picture, as `crop_and_resize` wants it: corners in shares of height and width."""
    edge = (1 - CENTRAL_FRACTION) / 2
    return tf.constant([edge, edge, 1 - edge, 1 - edge])


def random_window(size: tf.Tensor, drawn: tf.Tensor) -> tf.Tensor:
    """A part of a picture, of random area, aspect and place; corners as in `central_window`.

    Args:
        size: height and width in pixels.
        drawn: float32 `[DRAWS]` in [0, 1).
    """
    height, width = tf.cast(size[0], tf.float32), tf.cast(size[1], tf.float32)
    areas = height * width * _between(AREA, drawn[8 : 8 + TRIES])
    aspects = _between(ASPECT, drawn[8 + TRIES :])
    heights, widths = tf.sqrt(areas / aspects) / height, tf.sqrt(areas * aspects) / width
    fits = (heights <= 1) & (widths <= 1)
    first = tf.argmax(tf.cast(fits, tf.int32))
    part_height, part_width = (
        tf.where(tf.reduce_any(fits), sides[first], 1.0) for sides in (heights, widths)
    )
    top, left = drawn[0] * (1 - part_height), drawn[1] * (1 - part_width)
    return tf.stack([top, left, top + part_height, left + part_width])


def distort_colors(image: tf.Tensor, drawn: tf.Tensor) -> tf.Tensor:
    """Other brightness, saturation, hue and contrast, in one of four orders.

    Args:
        image: float32 `[height, width, 3]` in 0..255.
        drawn: float32 `[5]` in [0, 1): the four, then the order.

    Returns:
        The same shape, cut to 0..255.
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


def _between(bounds, share):
    low, high = bounds
    return low + share * (high - low)
