import contextlib
import io
import tempfile
from typing import ClassVar
from unittest import mock

import numpy as np
import requests
import tensorflow_datasets as tfds
from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.data.preprocessing import Preprocessing
from rethink_keras.data.randomization import Randomization
from rethink_keras.data.sources import Dataset, ImageSet, StreamedSet, find_source, tfds_set
from rethink_keras.data.sources.tfds_set import TfdsSet
from rethink_keras.data.splits import Splits
from rethink_keras.data.streaming import StreamedPipeline
from rethink_keras.errors import DataNotAvailableError, UserError

PNG = {"encoding_format": "png"}


class MadeSet(tfds.core.GeneratorBasedBuilder):
    """Images whose pixels tell their number; a subclass says what differs."""

    VERSION = tfds.core.Version("1.2.0")
    SPLITS: ClassVar = {"train": 40, "test": 10}
    SHAPE: ClassVar = (6, 6, 1)
    KEYS: ClassVar = ("image", "label")
    IDS: ClassVar = ""

    def _info(self):
        image, label = self.KEYS
        features = {
            image: tfds.features.Image(shape=self.SHAPE, **PNG),
            label: tfds.features.ClassLabel(num_classes=5),
        }
        if self.IDS:
            features["id"] = tfds.features.Text()
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(features), supervised_keys=self.KEYS
        )

    def _split_generators(self, dl_manager):
        return {name: self._generate_examples(name, count) for name, count in self.SPLITS.items()}

    def _generate_examples(self, split, count):
        image, label = self.KEYS
        for k in range(count):
            size = [6 + k % 3 if side is None else side for side in self.SHAPE]
            example = {image: np.full(size, k, np.uint8), label: self.label(split, k)}
            yield k, {**example, "id": self.IDS.format(count - k)} if self.IDS else example

    def label(self, split, k):
        del split
        return k % 5


class MadeKmnist(MadeSet):
    """Like kmnist."""


class MadeSvhn(MadeSet):
    """Like svhn_cropped: ids, three channels, three splits, keys of its own."""

    SPLITS: ClassVar = {"train": 40, "test": 10, "extra": 20}
    SHAPE: ClassVar = (6, 6, 3)
    KEYS: ClassVar = ("picture", "digit")
    IDS: ClassVar = "train_{:05}"


class MadeImagenette(MadeSet):
    """Like imagenette: images of several sizes, no test split, configurations."""

    BUILDER_CONFIGS: ClassVar = [tfds.core.BuilderConfig(name=name) for name in ("small", "large")]
    SPLITS: ClassVar = {"train": 40, "validation": 10}
    SHAPE: ClassVar = (None, None, 3)


class MadeGreyScans(MadeSet):
    """Grey images of several sizes, of the training split alone, with ids that are no numbers."""

    SPLITS: ClassVar = {"train": 40, "test": 10}
    SHAPE: ClassVar = (None, None, 1)


class MadeEurosat(MadeSet):
    """Like eurosat: one split only, and names for ids."""

    SPLITS: ClassVar = {"train": 40}
    IDS: ClassVar = "Forest_{}.jpg"


class MadeUnlabelled(MadeSet):
    """A test split without labels."""

    SPLITS: ClassVar = {"train": 40, "test": 10, "validation": 10}

    def label(self, split, k):
        return -1 if split == "test" else k % 5


class MadeReviews(tfds.core.GeneratorBasedBuilder):
    """No images."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {"text": tfds.features.Text(), "label": tfds.features.ClassLabel(num_classes=2)}
        return tfds.core.DatasetInfo(
            builder=self, features=tfds.features.FeaturesDict(features), supervised_keys=("text", "label")
        )

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        yield 0, {"text": "good", "label": 1}


class MadeSixteenBits(MadeReviews):
    """Images of 16 bits."""

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(2, 2, 1), dtype=np.uint16, **PNG),
            "label": tfds.features.ClassLabel(num_classes=2),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def _generate_examples(self):
        yield 0, {"image": np.zeros((2, 2, 1), np.uint16), "label": 1}


class MadeNowhere(MadeSet):
    """Never prepared."""


class TestCase(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.data_dir = folder.name

    def setUp(self):
        super().setUp()
        self.enter_context(mock.patch.object(requests, "head", side_effect=requests.ConnectionError("none")))
        self.addCleanup(config.clear)

    def prepare(self, builder_class, **options):
        builder_class(data_dir=self.data_dir, **options).download_and_prepare()

    def open(self, name, split="train", **options):
        count = options.pop("count", None)
        return TfdsSet(name, self.data_dir, **options).open(split, self.data_dir, count)

    def assert_refused(self, *words, name, split="train", error=UserError, **options):
        with self.assertRaises(error) as caught:
            self.open(name, split, **options)
        for word in words:
            self.assertIn(word, caught.exception.sentence)
        self.assertNotIn("\n", caught.exception.sentence)


class InMemoryTest(TestCase):
    def test_a_set_by_name(self):
        self.prepare(MadeKmnist)
        dataset = Dataset("made_kmnist", test_examples=3, data_dir=self.data_dir)
        train, test = dataset.open("train"), dataset.open("test")
        self.assertIsInstance(train, ImageSet)
        self.assertEqual((train.name, train.images.shape), ("made_kmnist", (40, 6, 6, 1)))
        self.assertEqual((train.num_classes, test.num_examples), (5, 3))
        self.assertEqual(train.ids.tolist(), list(range(40)))
        np.testing.assert_array_equal(train.labels, train.images[:, 0, 0, 0] % 5)
        self.assertEqual(sorted(train.images[:, 0, 0, 0].tolist()), list(range(40)))
        self.assertEqual(dataset.source.train_examples, 40)
        self.assertFalse(dataset.source.regularized_by_default)

    def test_configuration_and_version_are_part_of_the_name(self):
        self.prepare(MadeKmnist)
        plain = self.open("made_kmnist")
        self.assertEqual(self.open("made_kmnist:1.2.0").fingerprint, plain.fingerprint)
        self.prepare(MadeImagenette, config="large")
        found = find_source("dataset.name", "made_imagenette/large:1.2.0", self.data_dir)
        self.assertEqual(found.train_examples, 40)

    def test_a_prepared_set_without_code_of_tfds(self):
        self.prepare(MadeKmnist)
        unknown = mock.patch.object(
            tfds.core.load, "builder_cls", side_effect=tfds.core.DatasetNotFoundError("no code")
        )
        with unknown:
            self.assertEqual(Dataset("made_kmnist", data_dir=self.data_dir).open("test").num_examples, 10)

    def test_supervised_keys_and_ids_of_its_own(self):
        self.prepare(MadeSvhn)
        train = self.open("made_svhn")
        self.assertEqual(train.ids.tolist(), list(range(1, 41)))
        np.testing.assert_array_equal(train.images[:, 0, 0, 1], 40 - train.ids)
        np.testing.assert_array_equal(train.labels, train.images[:, 0, 0, 1] % 5)
        self.assertEqual(self.open("made_svhn", train="extra").num_examples, 20)

    def test_parts_of_one_split(self):
        self.prepare(MadeEurosat)
        self.assert_refused("no test set", "'train'", "tfds.train = 'train[:80%]'", name="made_eurosat")
        halves = {"train": "train[:80%]", "test": "train[80%:]"}
        train, test = (self.open("made_eurosat", split, **halves) for split in ("train", "test"))
        self.assertEqual((train.num_examples, test.num_examples), (32, 8))
        # Ids are positions in the split of TFDS, in place of the names there.
        self.assertEqual([*train.ids, *test.ids], list(range(40)))
        pixels = {*train.images[:, 0, 0, 0].tolist(), *test.images[:, 0, 0, 0].tolist()}
        self.assertLen(pixels, 40)
        self.assertEqual(TfdsSet("made_eurosat", self.data_dir, **halves).train_examples, 32)

    @parameterized.parameters(
        ({"test": "train[30:]"}, "in common"),
        ({"train": "train[:20]", "test": "train[19:]"}, "in common"),
        ({"train": "nothing"}, "tfds.train is 'nothing'"),
        ({"test": "train["}, "tfds.test is 'train['"),
        ({"test": "train+train"}, "tfds.test is 'train+train'"),
        ({"test": "train[90:]"}, "tfds.test is 'train[90:]'"),
    )
    def test_wrong_parts(self, options, words):
        self.prepare(MadeEurosat)
        self.assert_refused(words, "made_eurosat", name="made_eurosat", **options)

    def test_a_split_without_labels(self):
        self.prepare(MadeUnlabelled)
        self.assert_refused("'test'", "no labels", "'validation'", name="made_unlabelled", split="test")
        self.assertEqual(self.open("made_unlabelled", "test", test="validation").num_examples, 10)

    def test_larger_than_memory(self):
        self.prepare(MadeKmnist)
        with mock.patch.object(tfds_set, "check_fits", side_effect=UserError("Too large.")) as check:
            self.assert_refused("Too large", name="made_kmnist", count=7)
        check.assert_called_once_with("made_kmnist", 7 * 36)


class StreamedTest(TestCase):
    def test_images_of_several_sizes(self):
        self.prepare(MadeImagenette, config="small")
        with contextlib.redirect_stdout(io.StringIO()) as out:
            train, test = (self.open("made_imagenette/small", split) for split in ("train", "test"))
        self.assertRegex(out.getvalue(), "Note: made_imagenette/small has no split 'test'.*'validation'.\n$")
        self.assertIsInstance(train, StreamedSet)
        self.assertEqual((train.num_examples, test.num_examples), (40, 10))
        self.assertEqual((test.tfds_split, test.num_classes), ("validation", 5))
        self.assertNotEqual(train.fingerprint, test.fingerprint)

    def splits(self, name, crop=4, **options):
        randomization = Randomization(seed=0, pixels=options.pop("pixels", "true"))
        dataset = Dataset(name, data_dir=self.data_dir)
        return Splits(dataset, randomization, Preprocessing(crop=crop, **options), seed=0)

    def test_grey_images_have_three_equal_channels(self):
        self.prepare(MadeGreyScans)
        (images, labels), *_ = (
            self.splits("made_grey_scans", normalization="none").pipeline("test").evaluation_batches(10)
        )
        self.assertEqual(images.shape, (10, 4, 4, 3))
        np.testing.assert_array_equal(images[..., 0], images[..., 2])
        numbers = np.rint(np.asarray(images)[:, 0, 0, 0] * 255)
        np.testing.assert_array_equal(labels, numbers % 5)

    def test_the_size_decides(self):
        self.prepare(MadeKmnist)
        with mock.patch.object(tfds_set, "MOST_BYTES_IN_MEMORY", 50 * 36):
            self.assertIsInstance(self.open("made_kmnist"), ImageSet)
        with mock.patch.object(tfds_set, "MOST_BYTES_IN_MEMORY", 50 * 36 - 1):
            self.assertIsInstance(self.open("made_kmnist"), StreamedSet)
            self.assertIsInstance(self.open("made_kmnist", streamed=False), ImageSet)
            self.assertIsInstance(self.splits("made_kmnist").pipeline("train"), StreamedPipeline)
            with self.assertRaisesRegex(UserError, "preprocessing.crop"):
                self.splits("made_kmnist", crop=None).pipeline("train")
        self.assertIsInstance(self.open("made_kmnist", streamed=True), StreamedSet)

    def test_what_cannot_be(self):
        self.prepare(MadeImagenette, config="small")
        name = "made_imagenette/small"
        self.assert_refused("differ in size", "tfds.streamed", name=name, streamed=False)
        self.assert_refused("only whole splits", "'arrays'", name=name, train="train[:50%]")
        self.assert_refused("train_examples", "is 41", name=name, count=41)

    def test_statistics_that_are_not_known(self):
        self.prepare(MadeImagenette, config="small")
        name = "made_imagenette/small"
        with self.assertRaisesRegex(UserError, "Gaussian pixels .* made_imagenette/small"):
            self.splits(name, pixels="gaussian").pipeline("train")
        with self.assertRaisesRegex(UserError, "preprocessing.channel_mean"):
            self.splits(name, normalization="channel").pipeline("train")
        given = {"channel_mean": (100.0,) * 3, "channel_std": (50.0,) * 3}
        for options in ({}, {"pixels": "shuffled"}, {"normalization": "channel", **given}):
            batches = self.splits(name, **options).pipeline("train").training_batches(20)
            self.assertEqual([len(labels) for _, labels in batches], [20, 20])


class NamesTest(TestCase):
    @parameterized.parameters(
        ("kmnits", "'kmnist'"),
        ("cifar", "'cifar10'"),
        ("svhn_croped", "'svhn_cropped'"),
        ("array", "'arrays'"),
    )
    def test_an_unknown_name_suggests_the_nearest(self, name, near):
        with self.assertRaisesRegex(UserError, f"dataset.name is '{name}'.*Did you mean {near}"):
            Dataset(name, data_dir=self.data_dir)

    @parameterized.parameters(
        "../mnist",
        "mnist/a=1",
        "huggingface:mnist",
        "kaggle:mnist",
        "MNIST",
        "mnist:",
        "a b",
        "",
        "mnist/a/b",
        "/",
    )
    def test_no_name(self, name):
        with self.assertRaisesRegex(UserError, "no data set"):
            find_source("dataset.name", name, self.data_dir)

    @parameterized.parameters(
        ("emnist/letter", ["emnist/letter", "letters"]),
        ("mnist:9.0.0", ["mnist:9.0.0", "3.0.1"]),
        ("mnist/x", ["mnist/x", "no configurations"]),
    )
    def test_an_unknown_configuration_or_version(self, name, words):
        with self.assertRaises(UserError) as caught:
            find_source("--dataset", name, self.data_dir)
        for word in ("--dataset", *words):
            self.assertIn(word, caught.exception.sentence)
        self.assertNotIn("\n", caught.exception.sentence)

    def test_a_set_that_is_not_prepared(self):
        words = "made_nowhere is not in", "bin/data prepare --dataset=made_nowhere", self.data_dir
        self.assert_refused(*words, name="made_nowhere", error=DataNotAvailableError)
        with self.assertRaisesRegex(DataNotAvailableError, "bin/data prepare --dataset=made_nowhere"):
            _ = find_source("dataset.name", "made_nowhere", self.data_dir).train_examples

    def test_a_configuration_that_is_not_prepared(self):
        words = f"not in {self.data_dir},", "--dataset=emnist/letters"
        self.assert_refused(*words, name="emnist/letters", error=DataNotAvailableError)

    @parameterized.parameters(
        (MadeReviews, ["made_reviews", "Text", "image classification"]),
        (MadeSixteenBits, ["made_sixteen_bits", "uint16", "uint8"]),
    )
    def test_no_image_classification(self, builder_class, words):
        self.prepare(builder_class)
        self.assert_refused(*words, name=words[0])

    def test_gin_binds_splits(self):
        self.prepare(MadeEurosat)
        config.parse(
            [], ["dataset.name = 'made_eurosat'", "tfds.train = 'train[:30]'", "tfds.test = 'train[30:]'"]
        )
        dataset = Dataset(data_dir=self.data_dir)
        config.clear()
        self.assertEqual(dataset.open("test").ids.tolist(), list(range(30, 40)))


if __name__ == "__main__":
    absltest.main()
