"""Gabor wavelets: the strength of each frequency and orientation in each part of an image."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import gin
import numpy as np
import tensorflow as tf

from rethink_keras.errors import UserError
from rethink_keras.theory.features.features import Features, Stage, standardized
from rethink_keras.theory.kernel_matrix import PointProducts
from rethink_keras.validation import check_int, check_number


@gin.configurable("gabor_wavelets")
@dataclasses.dataclass(frozen=True)
class GaborWavelets(Features):
    """Magnitudes of complex Gabor filters, averaged over windows. The paper does not describe its filters.

    Attributes:
        frequencies: Frequencies in cycles per pixel.
        orientations: Number of orientations, evenly spaced over half a turn.
        bandwidth: Bandwidth in octaves.
        stride: Stride of the windows in pixels.
        window: Side of the windows in pixels.
    """

    frequencies: Sequence[float] = (0.15, 0.3)
    orientations: int = 8
    bandwidth: float = 1.0
    stride: int = 4
    window: int = 6

    def __post_init__(self):
        if not self.frequencies:
            raise UserError("gabor_wavelets.frequencies is empty. Give at least one, such as (0.15, 0.3).")
        for frequency in self.frequencies:
            check_number("gabor_wavelets.frequencies", frequency, 0.01, 0.5)
        check_int("gabor_wavelets.orientations", self.orientations, 1, 64)
        check_number("gabor_wavelets.bandwidth", self.bandwidth, 0.1, 4)
        check_int("gabor_wavelets.stride", self.stride, 1, 64)
        check_int("gabor_wavelets.window", self.window, 1, 64)

    def bytes_needed(self, num_train, num_test, image_shape):
        """Returns the memory of the inner products and of what they are computed from; see `Features`."""
        height, width, channels = image_shape
        positions = -(-height // self.stride) * -(-width // self.stride)
        features = positions * channels * len(self.frequencies) * self.orientations
        return features * (17 * num_train + 13 * num_test)

    def stages(self, train, test, run):
        """Yields one stage; see `Features`."""
        filters = self.filters()
        points = []
        for split in (train, test):
            with run.stage(
                f"Wavelets of {split.num_examples:,} images", split.num_examples, "image"
            ) as advance:
                rows = []
                for images in standardized(split):
                    advance(len(images))
                    rows.append(self.features(images, filters))
            points.append(np.concatenate(rows))
        yield Stage(points[0].shape[1], None, PointProducts(*points))

    def filters(self) -> np.ndarray:
        """Returns the filters: complex64 `[side, side, 1, filters]`, the absolute values of each sum to 1."""
        from skimage.filters import gabor_kernel

        angles = np.pi * np.arange(self.orientations) / self.orientations
        bank = [
            gabor_kernel(frequency, theta=angle, bandwidth=self.bandwidth)
            for frequency in self.frequencies
            for angle in angles
        ]
        side = max(max(kernel.shape) for kernel in bank)  # all sides are odd
        padded = [_padded(kernel / abs(kernel).sum(), side) for kernel in bank]
        return np.stack(padded, axis=-1)[:, :, np.newaxis]

    def features(self, images: np.ndarray, filters: np.ndarray) -> np.ndarray:
        """Returns features `[images, features]` of float32 images `[images, height, width, channels]`."""
        maps = []
        real, imaginary = filters.real.astype(np.float32), filters.imag.astype(np.float32)
        for channel in range(images.shape[-1]):
            plane = images[..., channel : channel + 1]
            parts = [tf.nn.conv2d(plane, kernels, 1, "SAME") for kernels in (real, imaginary)]
            magnitude = tf.sqrt(parts[0] ** 2 + parts[1] ** 2)
            maps.append(tf.nn.avg_pool2d(magnitude, self.window, self.stride, "SAME"))
        return tf.reshape(tf.concat(maps, axis=-1), (len(images), -1)).numpy()


def _padded(kernel: np.ndarray, side: int) -> np.ndarray:
    rows, columns = ((side - size) // 2 for size in kernel.shape)
    return np.pad(kernel, ((rows, rows), (columns, columns))).astype(np.complex64)
