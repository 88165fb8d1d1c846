import sys
from pathlib import Path
from unittest import mock

from absl.testing import absltest

from rethink_keras import config
from rethink_keras.data.augmentation import Augmentation
from rethink_keras.data.pipeline import AugmentedPipeline, StandardizedPipeline
from rethink_keras.data.preprocessing import Preprocessing
from rethink_keras.data.randomization import Randomization
from rethink_keras.data.sources import Dataset
from rethink_keras.data.splits import Splits
from rethink_keras.data.streaming import StreamedPipeline
from rethink_keras.errors import UserError
from tests.data import made_imagenet
from tests.data.helpers import MadeDataset

FLIP = Augmentation(flip=True)


KINDS = """
import numpy as np
from rethink_keras.data.randomization import LABEL_RANDOMIZATIONS, DrawnLabels, LabelRandomization
from rethink_keras.data.sources import SOURCES, ImageSet, Source

@LABEL_RANDOMIZATIONS.register("ones")
class Ones(LabelRandomization):
    probability = 1.0
    def draw(self, ids, num_classes, *, seed, is_test):
        return DrawnLabels(np.ones(len(ids), bool), np.ones(len(ids), np.int64))

@SOURCES.register("ones_and_zeros")
class OnesAndZeros(Source):
    train_examples = 4
    def open(self, split, data_dir, count):
        ids = np.arange(4)
        return ImageSet(self.name, split, np.zeros((4, 2, 2, 1), np.uint8), ids % 2, ids, ("0", "1"))
"""


def made_splits(crop=6, **randomization):
    return Splits(MadeDataset(), Randomization(seed=0, **randomization), Preprocessing(crop=crop), seed=3)


class SplitsTest(absltest.TestCase):
    def test_from_gin(self):
        config.parse(
            [], ["dataset.name = 'mnist'", "preprocessing.crop = 20", "randomization.labels = 'random'"]
        )
        splits = Splits.from_gin("folder", 7)
        self.assertEqual((splits.dataset.name, splits.dataset.data_dir), ("mnist", "folder"))
        self.assertEqual((splits.randomization.labels, splits.randomization.seed), ("random", 7))
        self.assertEqual((splits.preprocessing.crop, splits.seed), (20, 7))

    def test_a_module_that_a_gin_file_imports_adds_kinds(self):
        folder = Path(self.create_tempdir())
        (folder / "kinds_for_a_test.py").write_text(KINDS)
        file = folder / "mine.gin"
        file.write_text(
            "import kinds_for_a_test\nrandomization.labels = 'ones'\ndataset.name = 'ones_and_zeros'\n"
        )
        with mock.patch.object(sys, "path", [*sys.path, str(folder)]):
            config.parse([file], [], allow_imports=True)
        train = Splits.from_gin(None, 0).randomized("train")
        self.assertEqual(train.source.labels.tolist(), [0, 1, 0, 1])
        self.assertEqual(train.labels.tolist(), [1, 1, 1, 1])

    def test_the_randomization_may_have_a_seed_of_its_own(self):
        config.parse([], ["randomization.seed = 5"])
        splits = Splits.from_gin(None, 7)
        self.assertEqual((splits.randomization.seed, splits.seed), (5, 7))

    def test_each_split_is_read_once_and_when_it_is_used(self):
        splits = made_splits()
        self.assertEmpty(splits.dataset.opened)
        for _ in range(2):
            splits.pipeline("train", FLIP)
            splits.pipeline("test")
        self.assertEqual(splits.dataset.opened, ["train", "test"])

    def test_both_splits_have_the_statistics_of_the_training_images(self):
        splits = made_splits()
        for split in ("train", "test"):
            self.assertIs(splits.randomized(split).statistics, splits.train.pixel_statistics)

    def test_kinds_of_pipelines(self):
        splits = made_splits(labels="random")
        plain, augmented = splits.pipeline("train"), splits.pipeline("train", FLIP)
        self.assertIsInstance(plain, StandardizedPipeline)
        self.assertIsInstance(augmented, AugmentedPipeline)
        self.assertEqual((plain.seed, plain.input_shape), (3, (6, 6, 3)))
        self.assertTrue(plain.split.corrupted.all())

    def test_room_for_a_random_crop(self):
        self.assertTrue(made_splits(crop=6).crop_leaves_room)
        self.assertFalse(made_splits(crop=10).crop_leaves_room)
        self.assertFalse(made_splits(crop=None).crop_leaves_room)

    def test_a_streamed_set(self):
        with made_imagenet.prepared():
            splits = Splits(Dataset("imagenet2012"), Randomization(seed=0), Preprocessing(crop=32), seed=0)
            self.assertIsInstance(splits.pipeline("test"), StreamedPipeline)
            self.assertTrue(splits.crop_leaves_room)
            with self.assertRaisesRegex(UserError, "imagenet2012 is too large for memory"):
                splits.randomized("train")


if __name__ == "__main__":
    absltest.main()
