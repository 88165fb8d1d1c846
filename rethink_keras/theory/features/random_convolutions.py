"""One convolutional layer of random filters: section 5's features for CIFAR-10.

After Coates and Ng 2012 ('Learning feature representations with k-means'), with random filters in place of means.

The features do not fit into memory together: 32,000 filters have 256,000 of them. Filters are therefore drawn in
blocks, each a function of (seed, index of the filter); the features of a block enter the inner products
(`SummedProducts`) and are dropped. A run with more filters begins with the same filters as one with fewer.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import gin
import numpy as np
import tensorflow as tf

from rethink_keras.data import random_bits
from rethink_keras.data.random_bits import Stream
from rethink_keras.errors import UserError
from rethink_keras.theory.features.features import Features, Stage, standardized
from rethink_keras.theory.features.summed_products import SummedProducts, products_bytes
from rethink_keras.theory.parallel import panels, workers
from rethink_keras.validation import check_choice, check_int, check_number, check_seed

KINDS = ("patches", "gaussian")
BLOCK = 128  # filters whose features are in memory at a time
BATCH = 100  # images convolved at a time
WHITENING_PATCHES = 50_000
POOLS = 2  # sums over a grid of 2 x 2 parts of the image


@gin.configurable("random_convolutions")
@dataclasses.dataclass(frozen=True)
class RandomConvolutions(Features):
    """Responses of normalized, whitened patches to filters, rectified on both sides and summed over a 2 x 2 grid.

    Attributes:
        filters: Numbers of filters at which the equations are solved, ascending. The paper has 32,000. A filter gives
            8 features.
        kind: 'patches' for whitened patches of random training images, 'gaussian' for normal noise. All filters have
            length 1.
        patch: Side of a patch in pixels.
        threshold: Absolute value that a response must exceed.
        whitening: Number added to the eigenvalues of the patches' covariance.
        contrast: Number added to a patch's variance before the patch is divided by its root, for pixels in [0, 1].
        unit_variance: Whether each feature is divided by its standard deviation over the training examples.
        seed: Seed of the filters, and of the patches from which whitening is computed.
    """

    filters: Sequence[int] = (2000,)
    kind: str = "patches"
    patch: int = 6
    threshold: float = 0.25
    whitening: float = 0.1
    contrast: float = 10 / 255**2
    unit_variance: bool = True
    seed: int = 0

    def __post_init__(self):
        check_choice("random_convolutions.kind", self.kind, KINDS)
        for count in self.filters:
            check_int("random_convolutions.filters", count, 1, 10_000_000)
        if not self.filters or list(self.filters) != sorted(set(self.filters)):
            raise UserError(
                f"random_convolutions.filters is {self.filters!r}. Give ascending numbers, such as (1000, 2000)."
            )
        check_int("random_convolutions.patch", self.patch, 2, 64)
        check_number("random_convolutions.threshold", self.threshold, 0, 100)
        check_number("random_convolutions.whitening", self.whitening, 1e-9, 100)
        check_number("random_convolutions.contrast", self.contrast, 1e-12, 100)
        check_seed("random_convolutions.seed", self.seed)

    def bytes_needed(self, num_train, num_test, image_shape):
        """Returns the memory of the inner products and of what they are computed from; see `Features`."""
        per_image = 8 * BLOCK * POOLS**2 + 4 * int(np.prod(image_shape))
        per_batch = 12 * BATCH * image_shape[0] * image_shape[1] * BLOCK
        return products_bytes(num_train, num_test) + 2 * per_image * (num_train + num_test) + per_batch

    def stages(self, train, test, run):
        """Yields a stage for each number of filters. All have the same products, which grow from stage to stage."""
        if self.patch > min(train.input_shape[:2]):
            raise UserError(
                f"random_convolutions.patch is {self.patch}, but the images are {train.input_shape[0]} x "
                f"{train.input_shape[1]} pixels. Set a smaller patch."
            )
        images = [np.concatenate(list(standardized(split))) for split in (train, test)]
        num_images = sum(map(len, images))
        bank = FilterBank(self, images[0])
        products = SummedProducts(train.num_examples, test.num_examples)
        done = 0
        for count in self.filters:
            size = (count - done) * num_images
            name = f"Features of {count:,} filters"
            with run.stage(name, size, "Mresponse", 1e-6) as advance, workers() as pool:
                for block in panels(count - done, BLOCK):
                    numbers = np.arange(done + block.start, done + block.stop)
                    products.add(*self._scaled(*(bank.features(i, numbers, advance) for i in images)), pool)
            done = count
            yield Stage(products.num_features, count, products)

    def _scaled(self, train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Returns features divided by their standard deviations over the training examples, if so configured."""
        if not self.unit_variance:
            return train, test
        scale = train.std(axis=0)
        scale[scale == 0] = 1
        return train / scale, test / scale


class FilterBank:
    """Filters of whitened, normalized patches, each a function of (seed, index) and of the training images.

    Args:
        options: Options of the features.
        images: Training images, float32 `[images, height, width, channels]`.

    Attributes:
        mean_patch: Mean of normalized patches, float64 `[values]`.
        whitening: Matrix that whitens patches without their mean, float64 `[values, values]`.
    """

    def __init__(self, options: RandomConvolutions, images: np.ndarray):
        self._options = options
        self._images = images
        patches = self.normalized(self.random_patches(np.arange(WHITENING_PATCHES), purpose=1))
        self.mean_patch = patches.mean(axis=0)
        values, vectors = np.linalg.eigh(np.cov(patches, rowvar=False))
        self.whitening = (vectors / np.sqrt(values + options.whitening)) @ vectors.T

    def filters(self, numbers: np.ndarray) -> np.ndarray:
        """Returns filters of whitened patches, of length 1: float64 `[filters, patch * patch * channels]`."""
        if self._options.kind == "patches":
            patches = self.normalized(self.random_patches(numbers, purpose=0))
            filters = (patches - self.mean_patch) @ self.whitening
        else:
            size = len(self.mean_patch)
            draws = [random_bits.normal(self._options.seed, Stream.FILTERS, int(k), size) for k in numbers]
            filters = np.stack(draws).astype(np.float64)
        return filters / np.linalg.norm(filters, axis=1, keepdims=True)

    def features(self, images: np.ndarray, numbers: np.ndarray, advance=lambda done: None) -> np.ndarray:
        """Returns pooled responses: float32 `[images, len(numbers) * 2 * 4]`.

        Args:
            images: Images, float32 `[images, height, width, channels]`.
            numbers: Indices of the filters.
            advance: Called for each batch with the number of its images times that of the filters.
        """
        options, channels = self._options, images.shape[-1]
        # A filter f answers to the patch p with f · W ((p - mean(p)) / std(p) - m), W whitening and m the mean patch.
        # So one convolution of the image with W f, with the filter's own mean subtracted, does it all: its result is
        # divided by each patch's std(p) and shifted by f · W m. No patch is normalized or whitened by itself.
        linear = self.filters(numbers) @ self.whitening
        offset = (linear @ self.mean_patch).astype(np.float32)
        linear -= linear.mean(axis=1, keepdims=True)
        kernel = linear.T.reshape(options.patch, options.patch, channels, len(numbers)).astype(np.float32)
        result = []
        for rows in panels(len(images), BATCH):
            batch = images[rows]
            advance(len(batch) * len(numbers))
            result.append(_pooled(batch, kernel, offset, options.threshold, options.contrast).numpy())
        return np.concatenate(result)

    def random_patches(self, numbers: np.ndarray, purpose: int) -> np.ndarray:
        """Returns random patches of the images: float64 `[len(numbers), values]`."""
        words = random_bits.words_by_id(self._options.seed, Stream.FILTERS, numbers, purpose)
        count, height, width, _ = self._images.shape
        side = self._options.patch
        bounds = (count, height - side + 1, width - side + 1)
        chosen, top, left = (random_bits.integers(words[:, k], bound) for k, bound in enumerate(bounds))
        windows = np.lib.stride_tricks.sliding_window_view(self._images, (side, side), axis=(1, 2))
        return windows[chosen, top, left].transpose(0, 2, 3, 1).reshape(len(numbers), -1).astype(np.float64)

    def normalized(self, patches: np.ndarray) -> np.ndarray:
        """Returns patches `[patches, values]` with a mean of 0, divided by their standard deviations."""
        centred = patches - patches.mean(axis=1, keepdims=True)
        return centred / np.sqrt(centred.var(axis=1, keepdims=True) + self._options.contrast)


@tf.function(reduce_retracing=True)
def _pooled(images, kernel, offset, threshold, contrast):
    """Returns the responses above the threshold, and those below its negative, summed over quarters of the image."""
    side = tf.shape(kernel)[0]
    size = tf.cast(side * side * tf.shape(images)[-1], tf.float32)
    box = tf.ones((side, side, tf.shape(images)[-1], 1)) / size
    variance = tf.nn.conv2d(images**2, box, 1, "VALID") - tf.nn.conv2d(images, box, 1, "VALID") ** 2
    responses = (
        tf.nn.conv2d(images, kernel, 1, "VALID") / tf.sqrt(tf.maximum(variance, 0.0) + contrast) - offset
    )
    middle = [tf.shape(responses)[1] // 2, tf.shape(responses)[2] // 2]
    pools = []
    for rectified in (tf.nn.relu(responses - threshold), tf.nn.relu(-responses - threshold)):
        for rows in (rectified[:, : middle[0]], rectified[:, middle[0] :]):
            pools += [
                tf.reduce_sum(part, (1, 2)) for part in (rows[:, :, : middle[1]], rows[:, :, middle[1] :])
            ]
    return tf.concat(pools, axis=1)
