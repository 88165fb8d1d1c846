import hashlib
import math

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from rethink_keras.data.augmentation import Augmentation, Draws
from rethink_keras.errors import UserError
from tests.data.helpers import image_set

ALL = Augmentation(random_crop=True, flip=True, rotation=25)
MANY = np.arange(50_000)
IMAGES = image_set(12, (10, 9, 3)).images


def draw(how=ALL, seed=0, epoch=0, ids=MANY, size=(32, 32), crop=(28, 28)):
    return how.draw(seed, epoch, ids, size, crop)


def apply(how, images, drawn, crop):
    return how.apply(tf.constant(images), Draws(*map(tf.constant, drawn)), crop).numpy()


def rotated(images, angle):
    """Rotation alone, by one angle in radians."""
    count = len(images)
    none = np.zeros(count, np.int64)
    drawn = Draws(none, none, none > 0, np.full(count, angle, np.float32))
    return apply(Augmentation(rotation=25), images, drawn, images.shape[1:3])


def rotated_by_the_formula(image, angle):
    """Counter-clockwise about the centre, bilinear, mirrored at the outer edges of the outer pixels."""

    def mirrored(at, size):
        at = np.where(at < 0, -at - 1, np.where(at > size - 1, 2 * size - at - 1, at))
        return np.clip(at, 0, size - 1)

    height, width, _ = image.shape
    down, right = np.indices((height, width), dtype=float)
    down, right = down - (height - 1) / 2, right - (width - 1) / 2
    rows = mirrored(math.sin(angle) * right + math.cos(angle) * down + (height - 1) / 2, height)
    columns = mirrored(math.cos(angle) * right - math.sin(angle) * down + (width - 1) / 2, width)
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    lower, further = np.minimum(top + 1, height - 1), np.minimum(left + 1, width - 1)
    a, b = (rows - top)[..., np.newaxis], (columns - left)[..., np.newaxis]
    upper_line = (1 - b) * image[top, left] + b * image[top, further]
    lower_line = (1 - b) * image[lower, left] + b * image[lower, further]
    return (1 - a) * upper_line + a * lower_line


class DrawTest(parameterized.TestCase):
    def test_golden(self):
        drawn = draw(epoch=3)
        self.assertEqual(drawn.top[:8].tolist(), [0, 0, 0, 0, 3, 4, 2, 2])
        self.assertEqual(drawn.left[:8].tolist(), [3, 3, 1, 1, 1, 1, 2, 2])
        self.assertEqual(drawn.flip[:8].tolist(), [False, False, True, False, True, False, True, False])
        angles = [-0.26354295, -0.2561799, -0.11017878, 0.39998916, -0.05129598, 0.25344825]
        np.testing.assert_allclose(drawn.angle[:6], angles, rtol=1e-6)
        self.assertEqual([a.dtype for a in drawn], [np.int64, np.int64, bool, np.float32])
        windows = np.concatenate([drawn.top, drawn.left, drawn.flip]).astype("<i4")
        self.assertEqual(hashlib.sha256(windows.tobytes()).hexdigest()[:16], "e4cc87c03b96ac8f")

    @settings(deadline=None, max_examples=30)
    @given(
        ids=st.lists(st.integers(0, 49_999), min_size=1, max_size=20),
        seed=st.integers(0, 2),
        epoch=st.integers(0, 2),
    )
    def test_a_function_of_seed_epoch_and_id(self, ids, seed, epoch):
        every = draw(seed=seed, epoch=epoch)
        for some, all_of_them in zip(draw(seed=seed, epoch=epoch, ids=np.array(ids)), every, strict=True):
            np.testing.assert_array_equal(some, all_of_them[ids])

    def test_another_seed_or_epoch_draws_others(self):
        first = draw()
        for other in (draw(seed=1), draw(epoch=1)):
            same_window = (first.top == other.top) & (first.left == other.left)
            self.assertAlmostEqual(same_window.mean(), 1 / 25, delta=0.005)
            self.assertAlmostEqual((first.flip == other.flip).mean(), 0.5, delta=0.01)
            self.assertLess(abs(np.corrcoef(first.angle, other.angle)[0, 1]), 0.02)

    def test_all_25_windows_equally_often(self):
        drawn = draw()
        counts = np.bincount(5 * drawn.top + drawn.left, minlength=25)
        self.assertLen(counts, 25)
        expected = len(MANY) / 25
        self.assertLess(np.sum((counts - expected) ** 2) / expected, 24 + 5 * np.sqrt(48))

    def test_windows_of_a_padded_image(self):
        drawn = draw(Augmentation(random_crop=True, padding=4), crop=(32, 32))
        for offsets in (drawn.top, drawn.left):
            self.assertEqual(sorted(set(offsets.tolist())), list(range(9)))

    def test_image_that_is_not_square(self):
        drawn = draw(size=(30, 40))
        self.assertEqual((drawn.top.min(), drawn.top.max()), (0, 2))
        self.assertEqual((drawn.left.min(), drawn.left.max()), (0, 12))

    @parameterized.parameters(((32, 32), 2, 2), ((33, 36), 2, 4), ((28, 28), 0, 0))
    def test_without_a_random_crop_the_window_is_the_centre(self, size, top, left):
        drawn = draw(Augmentation(flip=True), size=size)
        self.assertEqual((set(drawn.top), set(drawn.left)), ({top}, {left}))

    def test_half_are_flipped(self):
        self.assertAlmostEqual(draw().flip.mean(), 0.5, delta=3 * 0.5 / np.sqrt(len(MANY)))
        self.assertFalse(draw(Augmentation(random_crop=True)).flip.any())

    def test_angles_are_uniform_in_plus_and_minus_25_degrees(self):
        angle = draw().angle
        most = math.radians(25)
        self.assertLessEqual(np.abs(angle).max(), np.float32(most))
        counts = np.histogram(angle, bins=20, range=(-most, most))[0]
        expected = len(MANY) / 20
        self.assertLess(np.sum((counts - expected) ** 2) / expected, 19 + 5 * np.sqrt(38))
        self.assertFalse(draw(Augmentation(flip=True)).angle.any())

    def test_window_flip_and_angle_are_independent(self):
        correlations = np.corrcoef(np.array(draw(), float))[np.triu_indices(4, 1)]
        self.assertLess(np.abs(correlations).max(), 5 / np.sqrt(len(MANY)))

    def test_what_is_switched_on_besides_does_not_change_a_draw(self):
        np.testing.assert_array_equal(draw(Augmentation(random_crop=True)).top, draw().top)
        np.testing.assert_array_equal(draw(Augmentation(flip=True)).flip, draw().flip)
        np.testing.assert_array_equal(draw(Augmentation(rotation=25)).angle, draw().angle)


class ApplyTest(parameterized.TestCase):
    @parameterized.product(padding=(None, 0, 3), flip=(False, True), dtype=(np.uint8, np.float32))
    def test_crop_pad_and_flip_against_numpy(self, padding, flip, dtype):
        how = Augmentation(random_crop=True, padding=padding, flip=flip)
        drawn = draw(how, ids=np.arange(len(IMAGES)), size=(10, 9), crop=(6, 5))
        images = IMAGES.astype(dtype)
        got = apply(how, images, drawn, (6, 5))
        self.assertEqual(got.dtype, dtype)
        self.assertEqual(drawn.flip.any(), flip)
        around = [(padding or 0,) * 2] * 2 + [(0, 0)]
        for image, top, left, flipped, result in zip(images, *drawn[:3], got, strict=True):
            expected = np.pad(image, around)[top : top + 6, left : left + 5]
            np.testing.assert_array_equal(result, expected[:, ::-1] if flipped else expected)

    def test_nothing_but_the_centre(self):
        how = Augmentation(flip=True)
        drawn = draw(how, ids=np.arange(12), size=(10, 9), crop=(6, 5))
        got = apply(how, IMAGES, drawn._replace(flip=np.zeros(12, bool)), (6, 5))
        np.testing.assert_array_equal(got, IMAGES[:, 2:8, 2:7])

    def test_rotation_by_nothing(self):
        got = rotated(IMAGES, 0.0)
        self.assertEqual(got.dtype, np.float32)
        np.testing.assert_array_equal(got, IMAGES)

    @parameterized.parameters((math.pi / 2, 1), (math.pi, 2), (-math.pi / 2, 3))
    def test_rotation_by_right_angles_is_counter_clockwise(self, angle, quarters):
        square = image_set(3, (8, 8, 3)).images
        np.testing.assert_allclose(rotated(square, angle), np.rot90(square, quarters, axes=(1, 2)), atol=1e-2)

    @parameterized.parameters(25, -25, 7.5, -1)
    def test_rotation_against_the_formula(self, degrees):
        for images in (image_set(2, (32, 32, 3)).images, IMAGES):
            expected = [rotated_by_the_formula(image, math.radians(degrees)) for image in images]
            np.testing.assert_allclose(rotated(images, math.radians(degrees)), expected, atol=2e-2)

    def test_the_whole_image_is_rotated_and_then_cropped_and_flipped(self):
        drawn = draw(ids=np.arange(12), size=(10, 9), crop=(6, 5))
        got = apply(ALL, IMAGES, drawn, (6, 5))
        for image, top, left, flipped, angle, result in zip(IMAGES, *drawn, got, strict=True):
            expected = rotated_by_the_formula(image, angle)[top : top + 6, left : left + 5]
            np.testing.assert_allclose(result, expected[:, ::-1] if flipped else expected, atol=2e-2)


class AugmentationTest(parameterized.TestCase):
    @parameterized.parameters(
        ({"random_crop": "yes"}, "random_crop is 'yes'. Give True or False"),
        ({"flip": 0.5}, "flip is 0.5"),
        ({"padding": -1, "random_crop": True}, "padding is -1"),
        ({"padding": 4.0, "random_crop": True}, "padding is 4.0"),
        ({"rotation": 181}, "rotation is 181"),
        ({"rotation": -25}, "rotation is -25"),
        ({"rotation": True}, "rotation is True"),
        ({"padding": 4}, "padding does nothing without a random crop"),
        ({"padding": 4, "random_crop": False}, "padding does nothing"),
    )
    def test_refused(self, how, message):
        with self.assertRaisesRegex(UserError, message):
            Augmentation(**how)

    @parameterized.parameters(
        ({}, False, "none"),
        ({"random_crop": False, "flip": False, "rotation": 0}, False, "none"),
        ({"random_crop": True}, True, "random crop"),
        ({"random_crop": True, "padding": 4}, True, "random crop after padding by 4"),
        ({"flip": True, "rotation": 25}, True, "left-right flip, rotation up to 25 degrees"),
    )
    def test_in_force_and_in_words(self, how, in_force, words):
        self.assertEqual(Augmentation(**how).in_force, in_force)
        self.assertEqual(Augmentation(**how).describe(), words)


if __name__ == "__main__":
    absltest.main()
