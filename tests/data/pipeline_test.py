import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from rethink_keras.data.augmentation import NO_AUGMENTATION, Augmentation
from rethink_keras.data.batches import WHOLE_BATCH, BatchShard
from rethink_keras.data.pipeline import AugmentedPipeline, StandardizedPipeline, epoch_order, make_pipeline
from rethink_keras.errors import UserError
from tests.data.helpers import image_set, randomized_split

COUNT, BATCH = 50, 16  # three batches and a short one of two
SOURCE = image_set(COUNT)
CROP = Augmentation(random_crop=True)
FLIP = Augmentation(flip=True)
EVERYTHING = Augmentation(random_crop=True, padding=1, flip=True, rotation=25)


def pipeline(augmentation=NO_AUGMENTATION, seed=0, *, crop=6, source=SOURCE, shard=WHOLE_BATCH, **how):
    return make_pipeline(randomized_split(source, crop=crop, **how), augmentation, seed, shard)


def collected(batches):
    return [(images, labels) for images, labels in batches.as_numpy_iterator()]


def epoch(of, number, batch_size=BATCH, first_step=0):
    of.set_epoch(number)
    return collected(of.training_batches(batch_size, first_step))


def joined(batches):
    return tuple(np.concatenate(part) for part in zip(*batches, strict=True))


def standardized(split, images):
    return split.standardize(images).numpy()


class MakePipelineTest(absltest.TestCase):
    def test_chooses_the_class_by_augmentation(self):
        self.assertIsInstance(pipeline(), StandardizedPipeline)
        self.assertIsInstance(pipeline(Augmentation(flip=False)), StandardizedPipeline)
        self.assertIsInstance(pipeline(FLIP), AugmentedPipeline)


class EpochOrderTest(absltest.TestCase):
    def test_golden(self):
        self.assertEqual(epoch_order(0, 1, 10).tolist(), [9, 7, 8, 0, 1, 6, 4, 2, 3, 5])
        self.assertEqual(epoch_order(0, 0, 12).tolist(), [7, 2, 11, 6, 1, 0, 5, 3, 4, 8, 10, 9])
        self.assertEqual(epoch_order(0, 0, 12).dtype, np.int32)

    @settings(deadline=None, max_examples=30)
    @given(seed=st.integers(0, 2**32 - 1), number=st.integers(0, 300), count=st.integers(1, 300))
    def test_each_example_once(self, seed, number, count):
        np.testing.assert_array_equal(np.sort(epoch_order(seed, number, count)), np.arange(count))

    def test_epochs_and_seeds_differ_and_are_not_correlated(self):
        count = 10_000
        orders = [epoch_order(0, number, count) for number in range(5)] + [epoch_order(1, 0, count)]
        correlations = np.corrcoef(orders)[np.triu_indices(len(orders), 1)]
        self.assertLess(np.abs(correlations).max(), 5 / np.sqrt(count))


class PipelineTest(parameterized.TestCase):
    @parameterized.parameters((NO_AUGMENTATION,), (FLIP,))
    def test_each_example_once_in_the_order_of_the_epoch_and_the_short_batch_kept(self, augmentation):
        numbered = image_set(COUNT, classes=COUNT)
        numbered.labels[:] = np.arange(COUNT)
        data = pipeline(augmentation, seed=3, source=numbered)
        self.assertEqual((data.num_examples, data.steps(BATCH)), (COUNT, 4))
        for number in (0, 1, 7):
            batches = epoch(data, number)
            self.assertEqual([len(labels) for _, labels in batches], [16, 16, 16, 2])
            images, labels = joined(batches)
            self.assertEqual((images.dtype, labels.dtype), (np.float32, np.int64))
            np.testing.assert_array_equal(labels, epoch_order(3, number, COUNT))

    @parameterized.parameters((1, 50), (49, 2), (50, 1), (51, 1), (25, 2))
    def test_steps(self, batch_size, steps):
        data = pipeline()
        self.assertEqual(data.steps(batch_size), steps)
        self.assertLen(collected(data.evaluation_batches(batch_size)), steps)
        self.assertLen(epoch(data, 0, batch_size), steps)

    @parameterized.parameters(
        (NO_AUGMENTATION, 16, 2), (EVERYTHING, 16, 2), (EVERYTHING, 25, 5), (NO_AUGMENTATION, 50, 3)
    )
    def test_workers_divide_each_batch(self, augmentation, batch_size, workers):
        data = [pipeline(augmentation, shard=BatchShard(index, workers)) for index in range(workers)]
        parts = [epoch(of, 1, batch_size, 1) for of in data]
        evaluated = [collected(of.evaluation_batches(batch_size)) for of in data]
        whole = pipeline(augmentation)
        for batches, of_workers in (
            (epoch(whole, 1, batch_size, 1), parts),
            (collected(whole.evaluation_batches(batch_size)), evaluated),
        ):
            for (images, labels), *apart in zip(batches, *of_workers, strict=True):
                part_images, part_labels = joined(apart)
                np.testing.assert_allclose(
                    part_images, images, atol=1e-5
                )  # rotations differ in the last bits
                np.testing.assert_array_equal(part_labels, labels)

    def test_training_images_without_augmentation_are_the_standardized_ones(self):
        data = pipeline(labels="random", pixels="random")
        images, labels = joined(epoch(data, 2))
        examples = data.split.examples(epoch_order(0, 2, COUNT))
        np.testing.assert_array_equal(images, standardized(data.split, examples.images))
        np.testing.assert_array_equal(labels, examples.labels)

    @parameterized.parameters((NO_AUGMENTATION,), (CROP,), (EVERYTHING,))
    def test_first_step_continues_exactly(self, augmentation):
        data = pipeline(augmentation, seed=5)
        whole = epoch(data, 2)
        for first_step in (1, 3, 4):
            rest = epoch(pipeline(augmentation, seed=5), 2, first_step=first_step)
            self.assertLen(rest, 4 - first_step)
            for got, wanted in zip(rest, whole[first_step:], strict=True):
                np.testing.assert_array_equal(got[0], wanted[0])
                np.testing.assert_array_equal(got[1], wanted[1])

    def test_whole_batches_are_the_same_with_their_shape_compiled_in(self):
        data = pipeline()
        batches = epoch(data, 1)

        @tf.function
        def whole_batch(step):
            images, labels = data.training_batch(step, BATCH, whole=True)
            self.assertEqual((images.shape, labels.shape), ((BATCH, 6, 6, 3), (BATCH,)))
            return images, labels

        for step in range(3):
            images, labels = whole_batch(tf.constant(step))
            np.testing.assert_array_equal(images, batches[step][0])
            np.testing.assert_array_equal(labels, batches[step][1])

    @parameterized.parameters((NO_AUGMENTATION,), (EVERYTHING,))
    def test_epochs_differ_and_come_back_the_same(self, augmentation):
        data = pipeline(augmentation)
        first, second, again = (joined(epoch(data, number))[0] for number in (0, 1, 0))
        self.assertFalse(np.array_equal(first, second))
        np.testing.assert_array_equal(first, again)

    @parameterized.parameters((NO_AUGMENTATION,), (CROP,), (EVERYTHING,))
    def test_evaluation_is_in_the_order_of_ids_and_not_augmented(self, augmentation):
        data = pipeline(augmentation, labels="random", pixels="shuffled")
        data.set_epoch(3)
        examples = data.split.examples()
        for batch_size in (BATCH, 7):
            images, labels = joined(collected(data.evaluation_batches(batch_size)))
            np.testing.assert_array_equal(images, standardized(data.split, examples.images))
            np.testing.assert_array_equal(labels, examples.labels)

    @parameterized.parameters((NO_AUGMENTATION,), (EVERYTHING,))
    def test_equal_configurations_equal_bits(self, augmentation):
        one, other = (
            joined(epoch(pipeline(augmentation, labels="random", pixels="random", seed=2), 4))
            for _ in range(2)
        )
        np.testing.assert_array_equal(one[0], other[0])
        np.testing.assert_array_equal(one[1], other[1])

    def test_batch_size_does_not_change_an_image(self):
        data = pipeline(EVERYTHING)
        one, other = (joined(epoch(data, 1, batch_size))[0] for batch_size in (8, 25))
        np.testing.assert_array_equal(one, other)

    def test_statistics_of_another_split_are_used_as_given(self):
        split = randomized_split(SOURCE, normalization="channel")
        split.statistics = SOURCE.pixel_statistics._replace(mean=np.zeros(3), std=np.full(3, 51.0))
        images, _ = joined(collected(StandardizedPipeline(split).evaluation_batches(BATCH)))
        np.testing.assert_allclose(images, SOURCE.images / 51, rtol=1e-5)


class AugmentedPipelineTest(parameterized.TestCase):
    @parameterized.product(
        pixels=("true", "shuffled", "random", "gaussian"), permute=("after_crop", "before_crop")
    )
    def test_evaluates_as_without_augmentation(self, pixels, permute):
        fraction = 1.0 if permute == "before_crop" else 0.8
        how = {"pixels": pixels, "permute": permute, "fraction": fraction, "labels": "random"}
        static, dynamic = (
            joined(collected(pipeline(augmentation, **how).evaluation_batches(BATCH)))
            for augmentation in (NO_AUGMENTATION, FLIP)
        )
        np.testing.assert_array_equal(dynamic[0], static[0])
        np.testing.assert_array_equal(dynamic[1], static[1])

    @parameterized.parameters(("true", 0), ("random", 1))
    def test_random_crop_gives_one_of_the_25_windows_standardized(self, labels, number):
        data = pipeline(CROP, labels=labels)
        images, _ = joined(epoch(data, number))
        windows = [
            standardized(data.split, SOURCE.images[:, top : top + 6, left : left + 6])
            for top in range(5)
            for left in range(5)
        ]
        seen = set()
        for image, row in zip(images, epoch_order(0, number, COUNT), strict=True):
            found = [k for k, window in enumerate(windows) if np.array_equal(window[row], image)]
            self.assertLen(found, 1)
            seen.update(found)
        self.assertGreater(len(seen), 15)

    def test_draws_are_those_of_the_examples_not_of_their_places(self):
        data = pipeline(CROP, seed=4)
        images, _ = joined(epoch(data, 2))
        drawn = CROP.draw(4, 2, SOURCE.ids, (10, 10), (6, 6))
        for place, row in enumerate(epoch_order(4, 2, COUNT)):
            top, left = drawn.top[row], drawn.left[row]
            window = SOURCE.images[row : row + 1, top : top + 6, left : left + 6]
            np.testing.assert_array_equal(images[place], standardized(data.split, window)[0])

    @parameterized.parameters("shuffled", "random")
    def test_the_window_is_permuted_after_the_random_crop(self, kind):
        data = pipeline(CROP, pixels=kind)
        images, _ = joined(epoch(data, 0))
        drawn = CROP.draw(0, 0, SOURCE.ids, (10, 10), (6, 6))
        _, orders = data.split.maps_after_crop()
        for place, row in enumerate(epoch_order(0, 0, COUNT)):
            top, left = drawn.top[row], drawn.left[row]
            window = SOURCE.images[row, top : top + 6, left : left + 6].reshape(36, 3)
            permuted = window[orders[min(row, len(orders) - 1)]].reshape(1, 6, 6, 3)
            np.testing.assert_array_equal(images[place], standardized(data.split, permuted)[0])

    @parameterized.parameters("shuffled", "random", "gaussian")
    def test_pixels_randomized_before_the_crop_are_cropped_at_random(self, kind):
        data = pipeline(CROP, pixels=kind, permute="before_crop")
        images, _ = joined(epoch(data, 0))
        whole = data.split.images_before_crop()
        drawn = CROP.draw(0, 0, SOURCE.ids, (10, 10), (6, 6))
        for place, row in enumerate(epoch_order(0, 0, COUNT)):
            top, left = drawn.top[row], drawn.left[row]
            window = whole[row : row + 1, top : top + 6, left : left + 6]
            np.testing.assert_array_equal(images[place], standardized(data.split, window)[0])

    @parameterized.parameters((FLIP,), (EVERYTHING,))
    def test_labels_are_kept(self, augmentation):
        plain, augmented = (
            joined(epoch(pipeline(how, labels="random"), 1))[1] for how in (NO_AUGMENTATION, augmentation)
        )
        np.testing.assert_array_equal(plain, augmented)

    @parameterized.parameters({"crop": None}, {"crop": 10})
    def test_random_crop_without_room(self, crop):
        with self.assertRaisesRegex(UserError, "random crop of 10 x 10 pixels has no room.*padding = 4"):
            pipeline(CROP, crop=crop)

    def test_colours_are_not_distorted_in_memory(self):
        with self.assertRaisesRegex(UserError, "Colour distortion is for ImageNet"):
            pipeline(Augmentation(color_distortion=True))

    def test_random_crop_of_the_whole_image_with_padding(self):
        data = pipeline(Augmentation(random_crop=True, padding=2), crop=None)
        images, _ = joined(epoch(data, 0))
        self.assertEqual(images.shape, (COUNT, 10, 10, 3))


if __name__ == "__main__":
    absltest.main()
