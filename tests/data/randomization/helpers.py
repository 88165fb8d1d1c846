"""Examples of the tests of randomization."""

import hashlib

import numpy as np

from rethink_keras.data.randomization import Randomization
from rethink_keras.data.sources import PixelStatistics

CIFAR = PixelStatistics(np.array([125.3, 123.0, 113.9]), np.array([63.0, 62.1, 66.7]))
COUNT = 50_000
MANY = np.arange(COUNT)
CLASSES = 10
TRUE_LABELS = MANY % CLASSES
PIXELS = ("shuffled", "random", "gaussian")


def numbered_images(count):
    """uint8 images of 8 x 8 pixels: channel 0 is the position, the others follow from it and the image."""
    position = np.arange(64).reshape(8, 8)
    images = [np.stack([position, position + 64 + k, position + 128 + k], axis=-1) for k in range(count)]
    return np.array(images, np.uint8)


IMAGES = numbered_images(60)
IDS = np.arange(len(IMAGES))


def labels(corruption, seed=0, ids=MANY, is_test=False, **more):
    how = Randomization(labels="partially_corrupted", corruption=corruption, seed=seed, **more)
    return how.randomize_labels(TRUE_LABELS[ids], ids, CLASSES, is_test=is_test)


def pixels(kind, rows=IDS, is_test=False, seed=0, **more):
    how = Randomization(pixels=kind, seed=seed, **more)
    return how.randomize_pixels(IMAGES[rows], IDS[rows], CIFAR, is_test=is_test)


def digest(array):
    little_endian = array.astype(array.dtype.newbyteorder("<"))
    return hashlib.sha256(little_endian.tobytes()).hexdigest()[:16]
