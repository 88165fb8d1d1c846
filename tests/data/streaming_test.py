import contextlib
import io
from pathlib import Path
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.data.augmentation import Augmentation
from rethink_keras.data.batches import WHOLE_BATCH, BatchShard
from rethink_keras.data.preprocessing import Preprocessing
from rethink_keras.data.randomization import Randomization
from rethink_keras.data.sources import Dataset, StreamedSet
from rethink_keras.data.streaming import StreamedPipeline
from rethink_keras.errors import DataNotAvailableError, UserError
from tests.data import made_imagenet
from tests.data.made_imagenet import CLASSES, STEP, TRAIN
from tests.training.small_runs import run

SIZE = 32
AUGMENTATION = Augmentation(random_crop=True, flip=True)
EVERYTHING = Augmentation(random_crop=True, flip=True, color_distortion=True)
NONE = Augmentation()
IMAGENET = (
    "dataset.train_examples = None",
    "dataset.test_examples = None",
    f"preprocessing.crop = {SIZE}",
    "preprocessing.normalization = 'symmetric'",
    "train.epochs = 2",
)


class StreamedPipelineTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enter_context(contextlib.redirect_stdout(io.StringIO()))
        cls.enter_context(made_imagenet.prepared())
        cls.train = Dataset("imagenet2012").open("train")
        cls.test = Dataset("imagenet2012").open("test")

    def pipeline(self, source=None, augmentation=NONE, seed=0, shard=WHOLE_BATCH, **how):
        how = Randomization(**{"seed": 0, **how})
        preprocessing = Preprocessing(crop=SIZE, normalization="symmetric")
        return StreamedPipeline(source or self.train, how, preprocessing, augmentation, seed, shard)

    def epoch(self, pipeline, epoch=0, batch_size=8, first_step=0):
        pipeline.set_epoch(epoch)
        batches = list(pipeline.training_batches(batch_size, first_step).as_numpy_iterator())
        return tuple(np.concatenate(part) for part in zip(*batches, strict=True))

    def evaluation(self, pipeline, batch_size=7):
        batches = list(pipeline.evaluation_batches(batch_size).as_numpy_iterator())
        return tuple(np.concatenate(part) for part in zip(*batches, strict=True))

    def test_sizes(self):
        self.assertEqual((self.pipeline().num_examples, self.pipeline().steps(8)), (TRAIN, 7))
        images, labels = self.epoch(self.pipeline())
        self.assertEqual((images.shape, images.dtype), ((TRAIN, SIZE, SIZE, 3), np.float32))
        self.assertLessEqual(np.abs(images).max(), 1)
        self.assertLen(labels, TRAIN)

    def test_evaluation_is_in_the_order_of_ids_and_whole(self):
        images, labels = self.evaluation(self.pipeline())
        again, _ = self.evaluation(self.pipeline(), batch_size=50)
        np.testing.assert_array_equal(images, again)
        # Brightness tells the class: image and label belong together.
        brightness = images.mean(axis=(1, 2, 3))
        for label in range(CLASSES):
            self.assertAlmostEqual(
                brightness[labels == label].mean(), (label + 0.5) * STEP / 127.5 - 1, delta=0.02
            )

    def test_an_epoch_visits_each_example_once_in_an_order_of_its_own(self):
        whole, _ = self.evaluation(self.pipeline())
        first, second = (self.epoch(self.pipeline(), epoch)[0] for epoch in (0, 1))
        for visited in (first, second):
            np.testing.assert_array_equal(_sorted(visited), _sorted(whole))
        self.assertFalse(np.array_equal(first, second))
        self.assertFalse(np.array_equal(first, self.epoch(self.pipeline(seed=1))[0]))
        np.testing.assert_array_equal(first, self.epoch(self.pipeline())[0])

    def test_resumes_in_mid_epoch(self):
        pipeline = self.pipeline(augmentation=AUGMENTATION)
        images, labels = self.epoch(pipeline, epoch=3)
        rest, rest_labels = self.epoch(self.pipeline(augmentation=AUGMENTATION), epoch=3, first_step=4)
        np.testing.assert_array_equal(rest, images[32:])
        np.testing.assert_array_equal(rest_labels, labels[32:])

    def test_random_labels_are_consistent_over_epochs_and_test_labels_true(self):
        pipeline = self.pipeline(labels="random")
        by_image = {}
        for epoch in range(3):
            for image, label in zip(*self.epoch(pipeline, epoch), strict=True):
                self.assertEqual(by_image.setdefault(image.tobytes(), label), label)
        _, drawn = self.evaluation(pipeline)
        _, true = self.evaluation(self.pipeline())
        self.assertGreater(np.mean(drawn != true), 0.5)
        np.testing.assert_array_equal(
            self.evaluation(self.pipeline(self.test, labels="random"))[1],
            self.evaluation(self.pipeline(self.test))[1],
        )

    def test_partially_corrupted_labels_keep_the_records_own(self):
        _, some = self.evaluation(self.pipeline(labels="partially_corrupted", corruption=0.3))
        _, true = self.evaluation(self.pipeline())
        _, drawn = self.evaluation(self.pipeline(labels="random"))
        self.assertTrue(np.all((some == true) | (some == drawn)))
        self.assertBetween(np.mean(some != true), 0.02, 0.5)

    def test_augmentation_is_drawn_for_each_epoch_and_never_for_evaluation(self):
        plain, _ = self.evaluation(self.pipeline())
        augmented = self.pipeline(augmentation=AUGMENTATION)
        np.testing.assert_array_equal(self.evaluation(augmented)[0], plain)
        first, second = (_sorted(self.epoch(augmented, epoch)[0]) for epoch in (0, 1))
        self.assertFalse(np.array_equal(first, second))
        self.assertFalse(np.array_equal(first, _sorted(plain)))

    def test_a_configured_augmentation_never_reaches_an_evaluation(self):
        plain, _ = self.evaluation(self.pipeline())
        config.parse([], ["augmentation.random_crop = True", "augmentation.flip = True"])
        np.testing.assert_array_equal(self.evaluation(self.pipeline(augmentation=AUGMENTATION))[0], plain)
        by_default = StreamedPipeline(self.train, Randomization(seed=0), Preprocessing(SIZE, "symmetric"))
        np.testing.assert_array_equal(self.evaluation(by_default)[0], plain)
        np.testing.assert_array_equal(_sorted(self.epoch(by_default)[0]), _sorted(plain))

    def test_without_augmentation_training_sees_what_evaluation_sees(self):
        plain, _ = self.evaluation(self.pipeline())
        np.testing.assert_array_equal(_sorted(self.epoch(self.pipeline())[0]), _sorted(plain))

    def test_augmentation_goes_by_seed_epoch_and_id_alone(self):
        """The same image comes out whatever the batches, and another for another epoch."""
        pipeline = self.pipeline(augmentation=EVERYTHING)
        one, other = (_sorted(self.epoch(pipeline, 2, size)[0]) for size in (8, 13))
        np.testing.assert_array_equal(one, other)
        self.assertFalse(np.array_equal(one, _sorted(self.epoch(pipeline, 3)[0])))

    @parameterized.parameters((8, 3, 2), (11, 0, 3))
    def test_workers_divide_each_batch(self, batch_size, first_step, workers):
        whole = self.pipeline(augmentation=AUGMENTATION)
        whole.set_epoch(1)
        parts = []
        for index in range(workers):
            part = self.pipeline(augmentation=AUGMENTATION, shard=BatchShard(index, workers))
            part.set_epoch(1)
            parts.append(list(part.training_batches(batch_size, first_step).as_numpy_iterator()))
        batches = list(whole.training_batches(batch_size, first_step).as_numpy_iterator())
        for batch, *of_batch in zip(batches, *parts, strict=True):
            for together, *apart in zip(batch, *of_batch, strict=True):
                np.testing.assert_array_equal(together, np.concatenate(apart))

    @parameterized.parameters("shuffled", "random", "gaussian")
    def test_pixels(self, kind):
        plain, _ = self.evaluation(self.pipeline())
        changed, _ = self.evaluation(self.pipeline(pixels=kind))
        self.assertFalse(np.array_equal(changed, plain))
        if kind != "gaussian":
            for one, other in zip(changed, plain, strict=True):
                np.testing.assert_array_equal(_sorted(one.reshape(-1, 3)), _sorted(other.reshape(-1, 3)))

    def test_fewer_examples_are_those_of_the_lowest_ids(self):
        few = Dataset("imagenet2012", train_examples=17).open("train")
        images, _ = self.evaluation(self.pipeline(few))
        np.testing.assert_array_equal(images, self.evaluation(self.pipeline())[0][:17])
        self.assertLen(self.epoch(self.pipeline(few))[0], 17)

    def test_options_that_images_of_different_sizes_do_not_allow(self):
        with self.assertRaisesRegex(UserError, "preprocessing.crop = 299"):
            StreamedPipeline(self.train, Randomization(seed=0), Preprocessing(crop=None))
        with self.assertRaisesRegex(UserError, "after_crop"):
            self.pipeline(pixels="shuffled", permute="before_crop")
        with self.assertRaisesRegex(UserError, "Rotation"):
            self.pipeline(augmentation=Augmentation(rotation=25))

    def test_a_label_outside_the_classes(self):
        with (
            mock.patch.object(StreamedSet, "num_classes", CLASSES - 1),
            self.assertRaisesRegex(DataNotAvailableError, "a label is outside the classes"),
        ):
            run(Path(self.create_tempdir()), "dataset.name = 'imagenet2012'", *IMAGENET)

    def test_a_damaged_record(self):
        path = Path(self.train.shards()[0][2])
        whole = path.read_bytes()
        path.write_bytes(whole[:500] + bytes([whole[500] ^ 1]) + whole[501:])
        try:
            with self.assertRaisesRegex(DataNotAvailableError, "corrupted record"):
                run(Path(self.create_tempdir()), "dataset.name = 'imagenet2012'", *IMAGENET)
        finally:
            path.write_bytes(whole)

    def test_a_network_trains_on_it(self):
        result = run(Path(self.create_tempdir()), "dataset.name = 'imagenet2012'", *IMAGENET)
        self.assertEqual(result.summary["steps"], 4)
        self.assertEqual(result.summary["train_examples"], TRAIN)


def _sorted(rows):
    flat = rows.reshape(len(rows), -1)
    return flat[np.lexsort(flat.T[::-1])]


if __name__ == "__main__":
    absltest.main()
