"""One convolutional layer of random filters: section 5's features for CIFAR-10.

After Coates and Ng 2012 ('Learning feature representations with k-means'), with filters at random in place of means.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import gin
import numpy as np
import tensorflow as tf

from rethink_keras.data import random_bits
from rethink_keras.data.random_bits import Stream
from rethink_keras.errors import UserError
from rethink_keras.theory.features.features import Stage, standardized
from rethink_keras.theory.features.summed_products import SummedProducts, products_bytes
from rethink_keras.theory.parallel import workers
from rethink_keras.validation import check_choice, check_int, check_number, check_seed

KINDS = ("patches", "gaussian")
BLOCK = 128  # filters at a time
BATCH = 100  # images at a time
WHITENING_PATCHES = 50_000
POOLS = 2  # sums over a grid of 2 x 2 parts of the image


@gin.configurable
@dataclasses.dataclass(frozen=True)
class random_convolutions:
    """Patches are normalized and whitened, multiplied by filters, rectified on both sides and summed in a 2 x 2 grid.

    Attributes:
        filters: numbers of filters at which the equations are solved, ascending; 32,000 is the paper's. Each gives
            8 features.
        kind: 'patches', whitened patches of random training images; 'gaussian', normal noise. All of length 1.
        patch: side of a patch in pixels.
        threshold: what a response must exceed, on either side.
        whitening: added to the eigenvalues of the patches' covariance.
        contrast: added to a patch's variance before it is divided by its root, for pixels in [0, 1].
        unit_variance: divide each feature by its standard deviation over the training examples.
        seed: of filters and of the patches that whitening is measured on.
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
        """See `Features`."""
        per_image = 8 * BLOCK * POOLS**2 + 4 * int(np.prod(image_shape))
        per_batch = 12 * BATCH * image_shape[0] * image_shape[1] * BLOCK
        return products_bytes(num_train, num_test) + 2 * per_image * (num_train + num_test) + per_batch

    def stages(self, train, test, run):
        """See `Features`; the same products go on growing from stage to stage."""
        if self.patch > min(train.input_shape[:2]):
            raise UserError(
                f"random_convolutions.patch is {self.patch}, but the images are {train.input_shape[0]} x "
                f"{train.input_shape[1]} pixels. Set a smaller patch."
            )
        images = [np.concatenate(list(standardized(split))) for split in (train, test)]
        bank = FilterBank(self, images[0])
        products = SummedProducts(train.num_examples, test.num_examples)
        done = 0
        for count in self.filters:
            size = (count - done) * sum(len(i) for i in images)
            with (
                run.stage(f"Features of {count:,} filters", size, "Mresponse", 1e-6) as bar,
                workers() as pool,
            ):
                while done < count:
                    filters = np.arange(done, min(done + BLOCK, count))
                    train_block, test_block = (bank.features(i, filters, run.check_stop) for i in images)
                    if self.unit_variance:
                        scale = train_block.std(axis=0)
                        scale[scale == 0] = 1
                        train_block, test_block = train_block / scale, test_block / scale
                    products.add(train_block, test_block, pool)
                    bar.update(len(filters) * sum(len(i) for i in images) * 1e-6)
                    done = int(filters[-1]) + 1
            yield Stage(products.num_features, count, products)


class FilterBank:
    """Filters of whitened, normalized patches, each a function of (seed, its number) and of the training images.

    Args:
        how: what gin binds.
        images: float32 `[images, height, width, channels]`, training images.
    """

    def __init__(self, how: random_convolutions, images: np.ndarray):
        self._how = how
        self._images = images
        patches = self._normalized(self._patches(np.arange(WHITENING_PATCHES), purpose=1))
        self._mean = patches.mean(axis=0)
        values, vectors = np.linalg.eigh(np.cov(patches, rowvar=False))
        self._whiten = (vectors / np.sqrt(values + how.whitening)) @ vectors.T

    def filters(self, numbers: np.ndarray) -> np.ndarray:
        """Filters of whitened patches, of length 1: float64 `[filters, patch * patch * channels]`."""
        if self._how.kind == "patches":
            patches = self._normalized(self._patches(numbers, purpose=0))
            filters = (patches - self._mean) @ self._whiten
        else:
            size = len(self._mean)
            draws = [random_bits.normal(self._how.seed, Stream.FILTERS, int(k), size) for k in numbers]
            filters = np.stack(draws).astype(np.float64)
        return filters / np.linalg.norm(filters, axis=1, keepdims=True)

    def features(self, images: np.ndarray, numbers: np.ndarray, check_stop=lambda: None) -> np.ndarray:
        """Pooled responses: float32 `[images, len(numbers) * 2 * 4]`."""
        how, channels = self._how, images.shape[-1]
        # Normalizing and whitening a patch are linear but for its deviation, which the response is divided by.
        linear = self.filters(numbers) @ self._whiten
        offset = (linear @ self._mean).astype(np.float32)
        linear -= linear.mean(axis=1, keepdims=True)
        kernel = linear.T.reshape(how.patch, how.patch, channels, len(numbers)).astype(np.float32)
        result = []
        for batch in _batches(images):
            check_stop()
            result.append(_pooled(batch, kernel, offset, how.threshold, how.contrast).numpy())
        return np.concatenate(result)

    def _patches(self, numbers: np.ndarray, purpose: int) -> np.ndarray:
        """Random patches of the images: float64 `[len(numbers), values]`."""
        words = random_bits.words_by_id(self._how.seed, Stream.FILTERS, numbers, purpose)
        count, height, width, _ = self._images.shape
        side = self._how.patch
        bounds = (count, height - side + 1, width - side + 1)
        chosen, top, left = (random_bits.integers(words[:, k], bound) for k, bound in enumerate(bounds))
        windows = np.lib.stride_tricks.sliding_window_view(self._images, (side, side), axis=(1, 2))
        return windows[chosen, top, left].transpose(0, 2, 3, 1).reshape(len(numbers), -1).astype(np.float64)

    def _normalized(self, patches: np.ndarray) -> np.ndarray:
        centred = patches - patches.mean(axis=1, keepdims=True)
        return centred / np.sqrt(centred.var(axis=1, keepdims=True) + self._how.contrast)


def _batches(images: np.ndarray) -> Iterator[np.ndarray]:
    return (images[start : start + BATCH] for start in range(0, len(images), BATCH))


@tf.function(reduce_retracing=True)
def _pooled(images, kernel, offset, threshold, contrast):
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
