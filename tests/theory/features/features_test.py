import hashlib

import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.data import random_bits
from rethink_keras.data.random_bits import Stream
from rethink_keras.errors import UserError
from rethink_keras.theory import parallel
from rethink_keras.theory.features.features import PixelFeatures
from rethink_keras.theory.features.gabor_wavelets import GaborWavelets
from rethink_keras.theory.features.random_convolutions import FilterBank, RandomConvolutions
from rethink_keras.theory.features.summed_products import SummedProducts, products_bytes
from tests.data.helpers import image_set, randomized_split
from tests.theory.made_points import points, quiet_experiment, small_panels
from tests.training.small_runs import new_folder


def split(name="train", count=30, shape=(10, 12, 3)):
    return randomized_split(image_set(count, shape, name), normalization="none")


def stages(features, train=None, test=None):
    """Numbers of features and filters, and all products, of each stage."""
    train, test = train or split(), test or split("test", 7)
    n, m = train.num_examples, test.num_examples
    with new_folder() as folder, quiet_experiment(folder) as run:
        return [
            (s.num_features, s.num_filters, s.products.train(slice(0, n), slice(0, n), np.float64),
             s.products.test(slice(0, m), slice(0, n)))
            for s in features.stages(train, test, run)
        ]  # fmt: skip


def lower(products):
    return np.tril(products)


class PixelsTest(absltest.TestCase):
    def test_products_of_pixels(self):
        train, test = split(), split("test", 7)
        [(count, filters, inner, cross)] = stages(PixelFeatures(), train, test)
        flat, flat_test = (s.source.images.reshape(len(s.labels), -1) / 255 for s in (train, test))
        self.assertEqual((count, filters), (360, None))
        np.testing.assert_allclose(inner, flat @ flat.T, rtol=1e-6)
        np.testing.assert_allclose(cross, flat_test @ flat.T, rtol=1e-6)


class GaborWaveletsTest(parameterized.TestCase):
    def test_answers_to_its_frequency_and_orientation(self):
        how = GaborWavelets(frequencies=(0.1, 0.25), orientations=4, stride=32, window=32)
        columns = np.arange(32)
        waves = np.stack([np.tile(np.cos(2 * np.pi * f * columns), (32, 1)) for f in (0.1, 0.25)])
        found = how.features(waves[..., np.newaxis].astype(np.float32), how.filters())
        self.assertEqual(found.shape, (2, 8))
        self.assertEqual(
            found.argmax(axis=1).tolist(), [0, 4]
        )  # waves along the columns: the first orientation

    def test_number_of_features_is_the_one_that_memory_is_checked_for(self):
        how = GaborWavelets(orientations=3, stride=4)
        [(count, *_)] = stages(how)
        self.assertEqual(count, 3 * 3 * 3 * 2 * 3)
        self.assertEqual(how.bytes_needed(1, 0, (10, 12, 3)), 17 * count)

    @parameterized.parameters(
        ("frequencies", ()),
        ("frequencies", (0.6,)),
        ("orientations", 0),
        ("bandwidth", 0),
        ("stride", 0),
        ("window", -1),
    )
    def test_bad_settings(self, name, value):
        with self.assertRaisesRegex(UserError, f"gabor_wavelets.{name} is "):
            GaborWavelets(**{name: value})


class RandomConvolutionsTest(parameterized.TestCase):
    def bank(self, **options):
        images = split().source.images.astype(np.float32) / 255
        return FilterBank(RandomConvolutions(**options), images), images

    @parameterized.parameters("patches", "gaussian")
    def test_features_are_those_of_the_definition(self, kind):
        bank, images = self.bank(kind=kind, patch=4)
        numbers = np.array([0, 3])
        found = bank.features(images[:2], numbers)
        filters = bank.filters(numbers)
        np.testing.assert_allclose(np.linalg.norm(filters, axis=1), 1)
        responses = np.zeros((7, 9, 2))  # of the first image, patch by patch
        for top in range(7):
            for left in range(9):
                patch = images[0, top : top + 4, left : left + 4].astype(np.float64).ravel()
                patch = (patch - patch.mean()) / np.sqrt(patch.var() + 10 / 255**2)
                responses[top, left] = filters @ (bank.whitening @ (patch - bank.mean_patch))
        expected = []
        for side in (1, -1):
            rectified = np.maximum(side * responses - 0.25, 0)
            for rows in (rectified[:3], rectified[3:]):
                expected += [rows[:, :4].sum((0, 1)), rows[:, 4:].sum((0, 1))]
        self.assertEqual(found.shape, (2, 16))
        np.testing.assert_allclose(found[0], np.concatenate(expected), rtol=2e-4, atol=2e-4)

    def test_whitened_patches_are_white(self):
        bank, _ = self.bank(whitening=1e-9, patch=3)
        patches = bank.normalized(bank.random_patches(np.arange(50_000), purpose=1))
        white = (patches - bank.mean_patch) @ bank.whitening
        spectrum = np.linalg.eigvalsh(np.cov(white, rowvar=False))
        # Subtracting a patch's mean takes one dimension away.
        np.testing.assert_allclose(spectrum[1:], 1, atol=1e-3)

    def test_a_filter_is_the_same_alone_and_among_others(self):
        bank, _ = self.bank()
        np.testing.assert_allclose(bank.filters(np.array([5])), bank.filters(np.arange(9))[5:6], rtol=1e-12)

    def test_golden_patches(self):
        bank, _ = self.bank(kind="patches", seed=7)
        pixels = np.rint(bank.random_patches(np.arange(20), 0) * 255).astype(np.int32)
        self.assertEqual(hashlib.sha256(pixels.tobytes()).hexdigest()[:16], "3596fc4d3ea14a6c")

    def test_gaussian_filters_are_draws_of_length_1(self):
        bank, _ = self.bank(kind="gaussian", seed=7)
        drawn = np.stack([random_bits.normal(7, Stream.FILTERS, k, 6 * 6 * 3) for k in range(20)])
        expected = drawn / np.linalg.norm(drawn.astype(float), axis=1, keepdims=True)
        np.testing.assert_allclose(bank.filters(np.arange(20)), expected, rtol=1e-6)

    def test_stages_add_up(self):
        both = stages(RandomConvolutions(filters=(100, 300), patch=4))
        [alone] = stages(RandomConvolutions(filters=(300,), patch=4))
        self.assertEqual([s[:2] for s in both], [(800, 100), (2400, 300)])
        np.testing.assert_allclose(lower(both[1][2]), lower(alone[2]), rtol=1e-5)
        np.testing.assert_allclose(both[1][3], alone[3], rtol=1e-5)
        self.assertFalse(np.allclose(lower(both[0][2]), lower(alone[2]), rtol=1e-3))

    @parameterized.parameters(
        ("filters", ()), ("filters", (20, 10)), ("filters", (0,)), ("kind", "means"), ("patch", 1),
        ("threshold", -1), ("whitening", 0), ("contrast", 0), ("seed", -1),
    )  # fmt: skip
    def test_bad_settings(self, name, value):
        with self.assertRaisesRegex(UserError, f"random_convolutions.{name} is "):
            RandomConvolutions(**{name: value})

    def test_patch_larger_than_the_images(self):
        with self.assertRaisesRegex(UserError, "the images are 10 x 12 pixels"):
            stages(RandomConvolutions(patch=11))


class SummedProductsTest(absltest.TestCase):
    def test_equals_products_of_all_features(self):
        train, test = points(150, 40), points(20, 40, seed=1)
        with small_panels(), parallel.workers() as pool:
            summed = SummedProducts(150, 20)
            for columns in (slice(0, 10), slice(10, 40)):
                summed.add(train[:, columns], test[:, columns], pool)
            inner = train.astype(np.float64) @ train.T / 40
            np.testing.assert_allclose(
                summed.train(slice(80, 96), slice(64, 128), np.float64), inner[80:96, 64:128], atol=1e-6
            )
            chosen = np.array([2, 70, 90, 149])
            np.testing.assert_allclose(
                summed.some(slice(64, 128), chosen), inner[64:128][:, chosen], atol=1e-6
            )
            np.testing.assert_allclose(
                summed.test(slice(3, 9), slice(0, 150)),
                test[3:9].astype(np.float64) @ train.T / 40,
                atol=1e-6,
            )
            np.testing.assert_allclose(summed.squares, np.diag(inner), rtol=1e-6)
            held = sum(p.nbytes for p in summed._train) + summed._test.nbytes
            self.assertEqual(held, products_bytes(150, 20))


if __name__ == "__main__":
    absltest.main()
