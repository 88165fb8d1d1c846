import dataclasses

import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from tests.data.helpers import image_set, randomized_split

SOURCE = image_set()
ORIGINALS = SOURCE.images[:, 2:8, 2:8]  # the centre crop of 6 of 10


def sorted_pixels(images):
    """Each image's triples, sorted: what a permutation of pixels leaves."""
    flat = images.reshape(len(images), -1, 3).astype(int)
    return np.sort(flat @ [1, 256, 256**2], axis=1)


class RandomizedSplitTest(parameterized.TestCase):
    def test_true_examples_are_the_centre_crop(self):
        split = randomized_split(SOURCE, crop=6)
        self.assertEqual(split.input_shape, (6, 6, 3))
        self.assertEqual(split.num_examples, 50)
        examples = split.examples()
        np.testing.assert_array_equal(examples.images, ORIGINALS)
        np.testing.assert_array_equal(examples.labels, SOURCE.labels)
        np.testing.assert_array_equal(examples.original_labels, SOURCE.labels)
        np.testing.assert_array_equal(examples.ids, SOURCE.ids)
        self.assertFalse(examples.corrupted.any())

    def test_labels_that_were_corrupted_before(self):
        before = np.arange(50) % 4 == 0
        original = np.where(before, (SOURCE.labels + 1) % 10, SOURCE.labels)
        source = dataclasses.replace(SOURCE, original_labels=original, corrupted=before)
        split = randomized_split(source)
        np.testing.assert_array_equal(split.corrupted, before)
        examples = randomized_split(source, labels="partially_corrupted", corruption=0.5).examples()
        drawn = randomized_split(SOURCE, labels="partially_corrupted", corruption=0.5)
        np.testing.assert_array_equal(examples.corrupted, before | drawn.corrupted)
        np.testing.assert_array_equal(examples.labels, drawn.labels)
        np.testing.assert_array_equal(examples.original_labels, original)

    @parameterized.parameters("shuffled", "random")
    def test_permuted_after_the_crop_the_network_sees_the_very_pixels_of_the_centre(self, kind):
        got = randomized_split(SOURCE, crop=6, pixels=kind).examples().images
        self.assertEqual(got.dtype, np.uint8)
        self.assertFalse(np.array_equal(got, ORIGINALS))
        np.testing.assert_array_equal(sorted_pixels(got), sorted_pixels(ORIGINALS))

    @parameterized.parameters("shuffled", "random")
    def test_permuted_before_the_crop_the_crop_loses_some(self, kind):
        split = randomized_split(SOURCE, crop=6, pixels=kind, permute="before_crop")
        whole = split.images_before_crop()
        np.testing.assert_array_equal(sorted_pixels(whole), sorted_pixels(SOURCE.images))
        got = split.examples().images
        np.testing.assert_array_equal(got, whole[:, 2:8, 2:8])
        self.assertTrue(np.any(sorted_pixels(got) != sorted_pixels(ORIGINALS)))

    def test_gaussian_is_the_same_either_way(self):
        after, before = (
            randomized_split(SOURCE, crop=6, pixels="gaussian", permute=when).examples().images
            for when in ("after_crop", "before_crop")
        )
        self.assertEqual(after.dtype, np.float32)
        np.testing.assert_array_equal(after, before)

    @parameterized.parameters("after_crop", "before_crop")
    def test_train_and_test_are_shuffled_alike_and_test_labels_kept(self, when):
        how = {"crop": 6, "pixels": "shuffled", "labels": "random", "permute": when}
        train = randomized_split(SOURCE, **how)
        test = randomized_split(dataclasses.replace(SOURCE, split="test"), **how)
        np.testing.assert_array_equal(test.examples().images, train.examples().images)
        self.assertTrue(train.corrupted.all())
        self.assertFalse(test.corrupted.any())
        np.testing.assert_array_equal(test.labels, SOURCE.labels)

    @parameterized.product(
        pixels=("true", "shuffled", "random", "gaussian"), permute=("after_crop", "before_crop")
    )
    def test_some_rows_are_rows_of_all(self, pixels, permute):
        split = randomized_split(
            SOURCE, crop=6, pixels=pixels, permute=permute, fraction=0.5, labels="random"
        )
        every = split.examples()
        for rows in (slice(3, 20), np.array([40, 1, 7]), np.array([], int)):
            for got, wanted in zip(split.examples(rows), every, strict=True):
                np.testing.assert_array_equal(got, wanted[rows])

    def test_first_examples_of_a_set_get_what_they_get_in_the_whole(self):
        first = {name: getattr(SOURCE, name)[:10] for name in ("images", "labels", "ids")}
        few_images = dataclasses.replace(SOURCE, **first)
        few = randomized_split(few_images, crop=6, pixels="random", labels="random").examples()
        every = randomized_split(SOURCE, crop=6, pixels="random", labels="random").examples()
        np.testing.assert_array_equal(few.images, every.images[:10])
        np.testing.assert_array_equal(few.labels, every.labels[:10])

    @parameterized.parameters("shuffled", "random")
    def test_maps_after_crop_are_what_examples_does(self, kind):
        split = randomized_split(SOURCE, crop=6, pixels=kind, fraction=0.5)
        self.assertTrue(split.randomization.permutes_after_crop)
        affected, orders = split.maps_after_crop()
        self.assertEqual(orders.dtype, np.int32)
        self.assertEqual(orders.shape, (1 if kind == "shuffled" else 50, 36))
        np.testing.assert_array_equal(affected, split.randomization.pixels_affected(SOURCE.ids))
        for row, image in enumerate(split.examples().images):
            flat = ORIGINALS[row].reshape(36, 3)
            order = orders[min(row, len(orders) - 1)] if affected[row] else slice(None)
            np.testing.assert_array_equal(image.reshape(36, 3), flat[order])

    @parameterized.parameters(
        ({"pixels": "true"},), ({"pixels": "gaussian"},), ({"pixels": "random", "permute": "before_crop"},)
    )
    def test_nothing_is_permuted_after_the_crop(self, how):
        self.assertFalse(randomized_split(SOURCE, **how).randomization.permutes_after_crop)

    def test_crop_larger_than_the_image(self):
        with self.assertRaisesRegex(UserError, "crop is 11, but the images are 10 x 10"):
            randomized_split(SOURCE, crop=11)


if __name__ == "__main__":
    absltest.main()
