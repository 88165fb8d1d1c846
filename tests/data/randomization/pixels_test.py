import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.data.randomization import (
    PIXEL_RANDOMIZATIONS,
    PixelPermutation,
    PixelRandomization,
    Randomization,
)
from rethink_keras.errors import UserError
from tests.data.randomization.helpers import CIFAR, COUNT, IDS, IMAGES, MANY, PIXELS, digest, pixels


class ReversedPixels(PixelPermutation):
    """Positions in reverse order."""

    def permutations(self, ids, positions, *, seed, is_test):
        return np.arange(positions, dtype=np.int32)[np.newaxis, ::-1]


class RegistryTest(absltest.TestCase):
    def test_a_registered_kind_is_applied(self):
        PIXEL_RANDOMIZATIONS.register("reversed")(ReversedPixels)
        np.testing.assert_array_equal(pixels("reversed"), IMAGES[:, ::-1, ::-1])
        how = Randomization(pixels="reversed", seed=0)
        self.assertTrue(how.requested)
        self.assertTrue(how.permutes_after_crop)
        self.assertEqual(how.describe(), "true labels, reversed pixels")
        found = {Randomization(pixels=kind, seed=0).fingerprint(10) for kind in PIXEL_RANDOMIZATIONS}
        self.assertLen(found, len(PIXEL_RANDOMIZATIONS))

    def test_a_kind_that_is_registered_nowhere(self):
        with self.assertRaisesRegex(UserError, "randomization.pixels is 'mirrored'.*'gaussian'"):
            Randomization(pixels="mirrored")

    def test_what_a_kind_must_define(self):
        class NoMap(PixelRandomization):
            pass

        with self.assertRaisesRegex(TypeError, "NoMap does not define apply"):
            PIXEL_RANDOMIZATIONS.register("no_map")(NoMap)


class PixelsTest(parameterized.TestCase):
    @parameterized.parameters(
        ("shuffled", "d63d7a86f2cb54ba", "d63d7a86f2cb54ba"),
        ("random", "a1a78763c8a0accc", "9163e3c5db0c8c69"),
        ("gaussian", "bb8707f5bce76697", "f01328b92625ea94"),
    )
    def test_golden(self, kind, train, test):
        self.assertEqual(digest(pixels(kind)), train)
        self.assertEqual(digest(pixels(kind, is_test=True)), test)

    def test_golden_permutations(self):
        shared = Randomization(pixels="shuffled", seed=0).permutations(MANY, 784)[0]
        self.assertEqual(shared[:8].tolist(), [375, 744, 613, 454, 74, 197, 627, 456])
        how = Randomization(pixels="random", seed=0)
        own = how.permutations(np.array([3]), 784)
        self.assertEqual(own[0, :8].tolist(), [765, 334, 264, 188, 406, 54, 46, 106])
        own = how.permutations(np.array([3]), 784, is_test=True)
        self.assertEqual(own[0, :8].tolist(), [183, 271, 93, 783, 158, 304, 376, 121])

    @parameterized.parameters("shuffled", "random")
    def test_triples_stay_together_and_each_comes_once(self, kind):
        got = pixels(kind)
        self.assertEqual(got.dtype, np.uint8)
        for image, original in zip(got, IMAGES, strict=True):
            triples, originals = image.reshape(-1, 3), original.reshape(-1, 3)
            self.assertFalse(np.array_equal(triples, originals))
            # Channel 0 names the position that a pixel comes from; the others must have come along.
            np.testing.assert_array_equal(triples, originals[triples[:, 0]])
            np.testing.assert_array_equal(np.sort(triples[:, 0]), np.arange(64))

    def test_shuffled_is_one_permutation_for_all_images_of_train_and_test(self):
        orders = np.concatenate([pixels("shuffled")[..., 0], pixels("shuffled", is_test=True)[..., 0]])
        self.assertEqual((orders == orders[0]).mean(), 1)
        how = Randomization(pixels="shuffled", seed=0)
        np.testing.assert_array_equal(orders[0].ravel(), how.permutations(np.arange(1), 64)[0])

    def test_random_is_another_permutation_for_each_image_of_train_and_test(self):
        orders = np.concatenate([pixels("random")[..., 0], pixels("random", is_test=True)[..., 0]])
        orders = orders.reshape(len(orders), -1)
        self.assertLen(np.unique(orders, axis=0), len(orders))
        # Not shifted or nearly equal ones either: a position comes from everywhere, correlations are chance.
        correlations = np.corrcoef(orders)[np.triu_indices(len(orders), 1)]
        self.assertLess(np.abs(correlations).max(), 6 / np.sqrt(64))
        self.assertLess(abs(correlations.mean()), 0.01)

    def test_gaussian_matches_the_mean_and_variance_of_each_channel(self):
        got = pixels("gaussian")
        self.assertEqual(got.dtype, np.float32)
        values = got.astype(np.float64).reshape(-1, 3)
        error = CIFAR.std / np.sqrt(len(values))
        np.testing.assert_array_less(np.abs(values.mean(axis=0) - CIFAR.mean), 4 * error)
        np.testing.assert_array_less(np.abs(values.std(axis=0) - CIFAR.std), 4 * error / np.sqrt(2))
        # Clipped to 0..255 the deviation would fall short by 4%; unclipped, 2.4% lie below 0 in channel 0.
        outside = np.mean((values < 0) | (values > 255))
        self.assertBetween(outside, 0.03, 0.06)
        off_diagonal = np.corrcoef(values.T)[np.triu_indices(3, 1)]
        self.assertLess(np.abs(off_diagonal).max(), 4 / np.sqrt(len(values)))

    def test_gaussian_forgets_the_image_and_differs_by_image_and_set(self):
        how = Randomization(pixels="gaussian", seed=0)
        black = how.randomize_pixels(np.zeros_like(IMAGES), IDS, CIFAR)
        np.testing.assert_array_equal(black, pixels("gaussian"))
        noise = np.concatenate([black, pixels("gaussian", is_test=True)]).reshape(2 * len(IDS), -1)
        correlations = np.corrcoef(noise)[np.triu_indices(len(noise), 1)]
        self.assertLess(np.abs(correlations).max(), 6 / np.sqrt(noise.shape[1]))

    def test_gaussian_needs_statistics(self):
        how = Randomization(pixels="gaussian", seed=0)
        with self.assertRaises(ValueError):
            how.randomize_pixels(IMAGES, IDS, None)

    @parameterized.product(kind=PIXELS, is_test=(False, True))
    def test_fraction(self, kind, is_test):
        how = Randomization(pixels=kind, fraction=0.3, seed=0)
        share = how.pixels_affected(MANY, is_test=is_test)
        self.assertLess(abs(share.mean() - 0.3), 3 * np.sqrt(0.3 * 0.7 / COUNT))
        affected = how.pixels_affected(IDS, is_test=is_test)
        some = pixels(kind, is_test=is_test, fraction=0.3)
        np.testing.assert_array_equal(some[affected], pixels(kind, is_test=is_test)[affected])
        np.testing.assert_array_equal(some[~affected], IMAGES[~affected])

    def test_fraction_zero_and_one(self):
        np.testing.assert_array_equal(pixels("random", fraction=0.0), IMAGES)
        self.assertTrue(Randomization(pixels="random", seed=0).pixels_affected(MANY).all())
        self.assertFalse(Randomization(seed=0).pixels_affected(MANY).any())

    @parameterized.parameters(*PIXELS)
    def test_the_input_is_not_changed(self, kind):
        before = IMAGES.copy()
        pixels(kind)
        np.testing.assert_array_equal(IMAGES, before)

    @parameterized.parameters(*PIXELS)
    def test_seeds_draw_others(self, kind):
        self.assertFalse(np.array_equal(pixels(kind, seed=0), pixels(kind, seed=1)))

    def test_images_that_are_not_square_and_have_one_channel(self):
        images = np.arange(2 * 3 * 5, dtype=np.uint8).reshape(2, 3, 5, 1)
        how = Randomization(pixels="shuffled", seed=0)
        got = how.randomize_pixels(images, np.arange(2), None)
        order = how.permutations(np.arange(1), 15)[0]
        np.testing.assert_array_equal(got.reshape(2, 15), images.reshape(2, 15)[:, order])


if __name__ == "__main__":
    absltest.main()
