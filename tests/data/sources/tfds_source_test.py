import hashlib
import tempfile
from pathlib import Path
from typing import ClassVar
from unittest import mock

import numpy as np
import tensorflow_datasets as tfds
from absl.testing import absltest

from rethink_keras.data.sources import Dataset
from rethink_keras.data.sources.digits import Digits
from rethink_keras.data.sources.tfds_source import read
from rethink_keras.errors import DataNotAvailableError
from tests.data.helpers import real_data_dir
from tests.data.sources.digits_test import FINGERPRINTS


class Made(tfds.core.GeneratorBasedBuilder):
    """A set of one split; `features` and `examples` are set by the test."""

    VERSION = tfds.core.Version("1.0.0")
    features: ClassVar[dict]
    examples: ClassVar[list]

    def _info(self):
        return self.dataset_info_from_configs(features=tfds.features.FeaturesDict(self.features))

    def _split_generators(self, dl_manager):
        return {"train": self._generate_examples()}

    def _generate_examples(self):
        yield from enumerate(self.examples)


def written(builder_class, shards):
    """Returns a prepared builder in a temporary folder, with `shards` files for each split."""
    folder = tempfile.TemporaryDirectory()
    builder = builder_class(data_dir=folder.name)
    builder.kept = folder
    builder.download_and_prepare(download_config=tfds.download.DownloadConfig(num_shards=shards))
    for split in builder.info.splits.values():
        assert len(split.filenames) == shards, split.filenames
    return builder


class ReadTest(absltest.TestCase):
    def test_four_shards_equal_one(self):
        for shards in (1, 4):
            builder = written(Digits, shards)
            for split, (_, fingerprint) in FINGERPRINTS.items():
                with self.subTest(split=split, shards=shards):
                    self.assertEqual(read(builder, "digits", split).fingerprint, fingerprint)

    def test_ids_written_as_cifar_does_and_out_of_order(self):
        Made.features = {
            "id": tfds.features.Text(),
            "image": tfds.features.Image(shape=(2, 2, 3), encoding_format="png"),
            "label": tfds.features.ClassLabel(num_classes=10),
        }
        order = np.random.default_rng(0).permutation(30)
        Made.examples = [
            {"id": f"train_{i:05d}", "image": np.full((2, 2, 3), i, np.uint8), "label": i % 10} for i in order
        ]
        for shards in (1, 3):
            got = read(written(Made, shards), "made", "train")
            np.testing.assert_array_equal(got.ids, np.arange(30))
            np.testing.assert_array_equal(got.labels, np.arange(30) % 10)
            np.testing.assert_array_equal(got.images[:, 0, 0, 0], np.arange(30))

    def test_without_ids_the_position_in_the_order_of_the_files(self):
        Made.features = {
            "image": tfds.features.Image(shape=(2, 2, 1), encoding_format="png"),
            "label": tfds.features.ClassLabel(names=["a", "b"]),
        }
        # More examples a file than tf.data reads from one before it turns to the next.
        Made.examples = [{"image": np.full((2, 2, 1), i, np.uint8), "label": i % 2} for i in range(240)]
        one, four = (read(written(Made, shards), "made", "train") for shards in (1, 4))
        np.testing.assert_array_equal(one.ids, np.arange(240))
        self.assertEqual(sorted(one.images[:, 0, 0, 0].tolist()), list(range(240)))
        np.testing.assert_array_equal(one.labels, one.images[:, 0, 0, 0] % 2)
        self.assertEqual(four.fingerprint, one.fingerprint)
        self.assertEqual(one.class_names, ("a", "b"))

    def test_damaged_files(self):
        builder = written(Digits, 1)
        file = next(Path(builder.data_dir).glob("*train*"))
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 0xFF
        for damaged in (bytes(content), file.read_bytes()[: len(content) // 2]):
            file.write_bytes(damaged)
            with self.assertRaisesRegex(DataNotAvailableError, "train files of digits in .* are damaged"):
                read(builder, "digits", "train")

    def test_files_of_another_format(self):
        builder = written(Digits, 1)
        other = mock.patch.object(
            type(builder.info),
            "file_format",
            mock.PropertyMock(return_value=tfds.core.FileFormat.ARRAY_RECORD),
        )
        with other, self.assertRaisesRegex(DataNotAvailableError, "array_record files in place of tfrecord"):
            read(builder, "digits", "train")


def digest(array):
    little_endian = array.astype(array.dtype.newbyteorder("<"))
    return hashlib.sha256(little_endian.tobytes()).hexdigest()[:16]


class RealDataTest(absltest.TestCase):
    def test_cifar10(self):
        data_dir = real_data_dir("cifar10")
        train, test = (Dataset("cifar10", data_dir=data_dir).open(split) for split in ("train", "test"))
        self.assertEqual(train.images.shape, (50_000, 32, 32, 3))
        self.assertEqual(test.images.shape, (10_000, 32, 32, 3))
        # Frog, truck, truck, deer, automobile: the order of the original files.
        self.assertEqual(train.labels[:5].tolist(), [6, 9, 9, 4, 1])
        self.assertEqual(
            [train.class_names[k] for k in (6, 9, 4, 1)], ["frog", "truck", "deer", "automobile"]
        )
        self.assertEqual(train.images[0, 0, :2].tolist(), [[59, 62, 63], [43, 46, 45]])
        # Copies exist in which a few later images were encoded again, so pixels are compared for the first 700.
        for split, labels, images in (
            (train, "f5cfe00b0f00968c", "05f98a0e5733e34c"),
            (test, "cbb7365de8ed11f0", "88fb0f1c6a6da75a"),
        ):
            np.testing.assert_array_equal(split.ids, np.arange(len(split.ids)))
            np.testing.assert_array_equal(np.bincount(split.labels), np.full(10, len(split.ids) / 10))
            self.assertEqual(digest(split.labels), labels)
            self.assertEqual(digest(split.images[:700]), images)
        mean, std = train.pixel_statistics
        np.testing.assert_allclose(mean, [125.3069, 122.9504, 113.8654], atol=0.01)
        np.testing.assert_allclose(std, [62.9932, 62.0887, 66.7049], atol=0.01)

    def test_mnist(self):
        # The test set alone: 60,000 more images would take as long as all the other tests of this file.
        test = Dataset("mnist", data_dir=real_data_dir("mnist")).open("test")
        self.assertEqual(test.images.shape, (10_000, 28, 28, 1))
        np.testing.assert_array_equal(test.ids, np.arange(10_000))
        # The order of the TFDS files of version 3.0.1, which have no ids.
        self.assertEqual(test.labels[:8].tolist(), [2, 0, 4, 8, 7, 6, 0, 6])
        counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
        self.assertEqual(np.bincount(test.labels).tolist(), counts)
        fingerprint = "dfcf7714958126b8b10ea0b29c0731858f046300c5d52120ac04ec213a634edb"
        self.assertEqual(test.fingerprint, fingerprint)
        mean, std = test.pixel_statistics
        np.testing.assert_allclose([mean[0], std[0]], [33.7912, 79.1725], atol=1e-3)


if __name__ == "__main__":
    absltest.main()
