import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from rethink_keras.data.preprocessing import Preprocessing, center_crop
from rethink_keras.data.sources import PixelStatistics
from rethink_keras.errors import UserError
from tests.data.helpers import image_set

IMAGES = image_set(20, (28, 28, 3)).images
CIFAR = PixelStatistics(np.array([125.3, 123.0, 113.9]), np.array([63.0, 62.1, 66.7]))
PER_IMAGE = Preprocessing()
FLOOR = 1 / np.sqrt(28 * 28 * 3)


def standardized(images, how=PER_IMAGE, statistics=CIFAR):
    return how.standardize(tf.constant(images), statistics).numpy()


def by_the_formula(images, degrees_lost=0, floor=None):
    scaled = images.astype(np.float64) / 255
    values = scaled[0].size
    floor = 1 / np.sqrt(values) if floor is None else floor
    deviation = scaled.std(axis=(1, 2, 3), ddof=degrees_lost, keepdims=True)
    return (scaled - scaled.mean(axis=(1, 2, 3), keepdims=True)) / np.maximum(deviation, floor)


def nearly_flat(high, ones):
    """An image of 100, in which some values are `high`."""
    image = np.full((1, 28 * 28 * 3), 100, np.uint8)
    image[0, :ones] = high
    return image.reshape(1, 28, 28, 3)


class PerImageTest(parameterized.TestCase):
    def test_against_the_formula(self):
        got = standardized(IMAGES)
        self.assertEqual(got.dtype, np.float32)
        np.testing.assert_allclose(got, by_the_formula(IMAGES), atol=2e-6)
        np.testing.assert_allclose(got.mean(axis=(1, 2, 3), dtype=float), 0, atol=1e-5)
        np.testing.assert_allclose(got.std(axis=(1, 2, 3), dtype=float), 1, atol=1e-5)

    def test_over_all_values_not_channel_by_channel(self):
        means = standardized(np.clip(IMAGES, [0, 50, 100], [155, 205, 255]).astype(np.uint8)).mean(
            axis=(1, 2)
        )
        self.assertGreater(np.abs(means).min(axis=0).max(), 0.2)

    def test_a_constant_image_becomes_zero(self):
        for level in (0, 7, 255):
            got = standardized(np.full((1, 28, 28, 3), level, np.uint8))
            np.testing.assert_allclose(got, 0, atol=1e-5)

    def test_floor_of_one_over_the_root_of_the_number_of_values(self):
        image = nearly_flat(104, 100)
        self.assertLess((image / 255).std(), FLOOR / 5)
        got = standardized(image)
        np.testing.assert_allclose(got, by_the_formula(image), atol=1e-5)
        np.testing.assert_allclose(got.max() - got.min(), (4 / 255) / FLOOR, rtol=1e-5)
        # Another reproduction's floor of 1e-8 would blow this noise up.
        self.assertGreater(np.abs(got - by_the_formula(image, floor=1e-8)).max(), 3)

    @settings(deadline=None, max_examples=40)
    @given(high=st.integers(100, 255), ones=st.integers(0, 2352))
    def test_at_any_deviation_above_and_below_the_floor(self, high, ones):
        image = nearly_flat(high, ones)
        np.testing.assert_allclose(standardized(image), by_the_formula(image), atol=5e-5)

    def test_population_deviation(self):
        images = image_set(20, (4, 4, 1)).images  # few values, so that the two deviations differ visibly
        got = standardized(images)
        np.testing.assert_allclose(got, by_the_formula(images), atol=2e-6)
        self.assertGreater(np.abs(got - by_the_formula(images, degrees_lost=1)).max(), 0.03)

    def test_float_pixels_outside_of_the_range_as_gaussian_ones_are(self):
        images = np.random.default_rng(0).normal(120, 65, (5, 28, 28, 3)).astype(np.float32)
        self.assertLess(images.min(), 0)
        self.assertGreater(images.max(), 255)
        np.testing.assert_allclose(standardized(images), by_the_formula(images), atol=5e-6)


class OtherNormalizationsTest(parameterized.TestCase):
    def test_channel_with_given_numbers(self):
        how = Preprocessing(
            normalization="channel", channel_mean=(125.3, 123.0, 113.9), channel_std=(63.0, 62.1, 66.7)
        )
        other = PixelStatistics(np.zeros(3), np.ones(3))
        got = standardized(IMAGES, how, other)
        self.assertEqual(got.dtype, np.float32)
        np.testing.assert_allclose(got, (IMAGES.astype(float) - CIFAR.mean) / CIFAR.std, atol=2e-6)

    def test_channel_with_measured_numbers(self):
        measured = image_set(20, (28, 28, 3)).pixel_statistics
        flat = IMAGES.reshape(-1, 3).astype(float)
        np.testing.assert_allclose(measured.mean, flat.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(measured.std, flat.std(axis=0), rtol=1e-12)
        got = standardized(IMAGES, Preprocessing(normalization="channel"), measured).reshape(-1, 3)
        np.testing.assert_allclose(got.mean(axis=0, dtype=float), 0, atol=1e-5)
        np.testing.assert_allclose(got.std(axis=0, dtype=float), 1, atol=1e-5)

    @parameterized.parameters(("none", 0, 1), ("symmetric", -1, 1))
    def test_fixed_ranges(self, normalization, low, high):
        got = standardized(IMAGES, Preprocessing(normalization=normalization))
        self.assertEqual(got.dtype, np.float32)
        np.testing.assert_allclose(got, low + (high - low) * IMAGES.astype(float) / 255, atol=1e-6)
        self.assertEqual((got.min(), got.max()), (low, high))


class CropTest(parameterized.TestCase):
    @parameterized.parameters((32, 28, 2), (32, 32, 0), (33, 28, 2), (10, 9, 0), (10, 7, 1), (5, 1, 2))
    def test_offset_of_the_centre(self, size, crop, first):
        rows = np.arange(size).reshape(1, size, 1, 1)
        columns = 100 * np.arange(size).reshape(1, 1, size, 1)
        got = center_crop(rows + columns, crop, crop)
        self.assertEqual(got.shape, (1, crop, crop, 1))
        np.testing.assert_array_equal(got[0, :, 0, 0] % 100, np.arange(first, first + crop))
        np.testing.assert_array_equal(got[0, 0, :, 0] // 100, np.arange(first, first + crop))

    def test_numpy_and_tensors_alike(self):
        np.testing.assert_array_equal(center_crop(tf.constant(IMAGES), 24, 25), center_crop(IMAGES, 24, 25))

    def test_what_the_network_sees(self):
        self.assertEqual(Preprocessing(crop=28).output_shape((32, 32, 3)), (28, 28, 3))
        self.assertEqual(Preprocessing(crop=32).output_shape((32, 32, 3)), (32, 32, 3))
        self.assertEqual(Preprocessing().output_shape((32, 30, 1)), (32, 30, 1))

    @parameterized.parameters(((32, 32, 3),), ((40, 32, 1),), ((32, 40, 1),))
    def test_larger_than_the_image(self, shape):
        with self.assertRaisesRegex(UserError, f"crop is 33, but the images are {shape[0]} x {shape[1]}"):
            Preprocessing(crop=33).output_shape(shape)


class PreprocessingTest(parameterized.TestCase):
    @parameterized.parameters(
        ({"normalization": "whitening"}, "normalization is 'whitening'.*'per_image'"),
        ({"crop": 0}, "crop is 0"),
        ({"crop": 28.0}, "crop is 28.0"),
        ({"crop": True}, "crop is True"),
        ({"normalization": "channel", "channel_mean": (1.0,)}, "go together"),
        ({"normalization": "channel", "channel_std": (1.0,)}, "go together"),
        ({"channel_mean": (1.0,), "channel_std": (1.0,)}, "with normalization 'channel'"),
        (
            {"channel_mean": 125.3, "channel_std": 63.0},
            "channel_mean is 125.3. Give a number for each channel",
        ),
        ({"channel_mean": (125.3, "123"), "channel_std": (63.0, 62.1)}, "channel_mean is '123'"),
        (
            {"channel_mean": (125.3,), "channel_std": (0,)},
            "channel_std is 0. Give a number between 0.001 and 255",
        ),
    )
    def test_refused(self, how, message):
        with self.assertRaisesRegex(UserError, message):
            Preprocessing(**how)

    def test_a_number_for_each_channel(self):
        how = Preprocessing(normalization="channel", channel_mean=(1.0, 2.0), channel_std=(1.0, 2.0))
        with self.assertRaisesRegex(UserError, "channel_mean has 2 numbers, but the images have 3 channels"):
            how.output_shape((32, 32, 3))


if __name__ == "__main__":
    absltest.main()
