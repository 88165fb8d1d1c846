import hashlib

import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.data import random_bits
from rethink_keras.data.random_bits import Stream
from rethink_keras.errors import UserError
from rethink_keras.theory.features.random_convolutions import FilterBank, RandomConvolutions
from tests.theory.features.helpers import split, stages


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
        np.testing.assert_allclose(np.tril(both[1][2]), np.tril(alone[2]), rtol=1e-5)
        np.testing.assert_allclose(both[1][3], alone[3], rtol=1e-5)
        self.assertFalse(np.allclose(np.tril(both[0][2]), np.tril(alone[2]), rtol=1e-3))

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


if __name__ == "__main__":
    absltest.main()
