import contextlib
import gzip
import hashlib
import io
import os
import shutil
import tempfile
import time
from concurrent import futures
from pathlib import Path
from typing import ClassVar
from unittest import mock

import numpy as np
import requests
import tensorflow_datasets as tfds
from absl.testing import absltest, parameterized
from tensorflow_datasets.core.download import checksums

from rethink_keras.data.sources import Dataset, digits, preparation
from rethink_keras.data.sources.digits import Digits
from rethink_keras.data.sources.tfds_source import read
from rethink_keras.errors import DataNotAvailableError, UserError
from tests.data.helpers import digits_elsewhere

ARCHIVES = {
    "images.gz": gzip.compress(np.arange(20, dtype=np.uint8).tobytes(), mtime=0),
    "labels.gz": gzip.compress((np.arange(5, dtype=np.uint8) % 3).tobytes(), mtime=0),
}
URLS = {f"http://publisher.invalid/{name}": content for name, content in ARCHIVES.items()}


class Published(tfds.core.GeneratorBasedBuilder):
    """Five images of 2 x 2, from two archives on a host that does not exist."""

    VERSION = tfds.core.Version("1.0.0")
    url_infos: ClassVar = {
        url: checksums.UrlInfo(
            size=tfds.core.utils.Size(len(content)),
            checksum=hashlib.sha256(content).hexdigest(),
            filename=url.rsplit("/", 1)[-1],
        )
        for url, content in URLS.items()
    }

    def _info(self):
        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "image": tfds.features.Image(shape=(2, 2, 1), encoding_format="png"),
                    "label": tfds.features.ClassLabel(num_classes=3),
                }
            )
        )

    def _split_generators(self, dl_manager):
        images, labels = dl_manager.download(list(URLS))
        return {"train": self._generate_examples(images, labels)}

    def _generate_examples(self, images, labels):
        images, labels = (gzip.decompress(Path(p).read_bytes()) for p in (images, labels))
        images = np.frombuffer(images, np.uint8).reshape(5, 2, 2, 1)
        for k, image in enumerate(images):
            yield k, {"image": image, "label": labels[k]}


class TestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())
        self.data_dir = self.folder / "data"
        # No test may use the network.
        self.head = self.patched(requests, "head", requests.ConnectionError("no network"))
        self.patched(requests.Session, "request", requests.ConnectionError("no network"))

    def patched(self, where, name, effect):
        patch = mock.patch.object(where, name, side_effect=effect)
        self.addCleanup(patch.stop)
        return patch.start()


class ArchivesTest(TestCase):
    def setUp(self):
        super().setUp()
        self.archives = []
        for name, content in ARCHIVES.items():
            self.archives.append(self.folder / name)
            self.archives[-1].write_bytes(content)

    def builder(self):
        return Published(data_dir=str(self.data_dir))

    def prepare(self, archives):
        return preparation.prepare_from_archives(self.builder, archives)

    def assert_refused(self, archives, *words):
        with self.assertRaises(UserError) as caught:
            self.prepare(archives)
        for word in words:
            self.assertIn(word, caught.exception.sentence)
        self.assertNotIn("\n", caught.exception.sentence)
        self.assertFalse(list(self.data_dir.rglob("*.tfrecord*")))

    def test_archives_are_used_in_place_of_a_download(self):
        folder = self.prepare(self.archives)
        self.assertEqual(folder, self.data_dir / "published" / "1.0.0")
        got = read(self.builder(), "published", "train")
        self.assertEqual(sorted(got.images[:, 0, 0, 0].tolist()), [0, 4, 8, 12, 16])
        np.testing.assert_array_equal(got.labels, got.images[:, 0, 0, 0] // 4 % 3)
        # The archives stay, and no copy of them lies in the data folder.
        self.assertTrue(all(a.is_file() for a in self.archives))
        self.assertEmpty(list(self.data_dir.rglob("*.gz*")))

    def test_what_is_there_is_not_prepared_again(self):
        self.prepare(self.archives)
        with mock.patch.object(Published, "_generate_examples", side_effect=AssertionError):
            self.prepare(self.archives)

    def test_relative_paths(self):
        self.prepare([Path(os.path.relpath(archive)) for archive in self.archives])
        self.assertTrue(list(self.data_dir.rglob("*.tfrecord*")))

    def test_file_that_is_not_there(self):
        absent = self.folder / "absent.gz"
        self.assert_refused([absent, self.archives[1]], f"no archive {absent}", "--archive")
        self.assert_refused([self.folder], f"no archive {self.folder}")

    def test_another_name_than_the_publishers(self):
        other = self.archives[0].rename(self.folder / "photos.gz")
        words = ("images.gz, labels.gz", "--archive", "photos.gz is none of them")
        self.assert_refused([other, self.archives[1]], *words)

    def test_one_of_two(self):
        self.assert_refused(self.archives[:1], "images.gz, labels.gz", "labels.gz is missing")

    def test_one_twice(self):
        (self.folder / "more").mkdir()
        twin = self.folder / "more" / "images.gz"
        twin.write_bytes(ARCHIVES["images.gz"])
        self.assert_refused([*self.archives, twin], "same name", "--archive")

    @parameterized.parameters(b"", ARCHIVES["images.gz"][:-3], ARCHIVES["labels.gz"], b"<html>404</html>")
    def test_damaged(self, content):
        self.archives[0].write_bytes(content)
        self.assert_refused(self.archives, f"{self.archives[0]} is damaged or not the original", "again")

    def test_an_error_in_reading_them_is_reported(self):
        self.patched(Published, "_generate_examples", gzip.BadGzipFile("Not a gzipped file"))
        self.assert_refused(self.archives, "published could not be prepared", "Not a gzipped file")

    def test_data_folder_that_cannot_be_written(self):
        self.patched(Published, "download_and_prepare", PermissionError(13, "Permission denied"))
        self.assert_refused(self.archives, f"{self.data_dir / 'published'} cannot be written", "--data_dir")

    def at_once(self, prepare, **options):
        """Calls `prepare` twice at once; returns both results and how often the data were generated."""
        calls = []
        generate = Published.download_and_prepare

        def wait_for_the_other(builder, **arguments):
            calls.append(builder)
            end = time.monotonic() + 60
            while "waiting" not in out.getvalue() and time.monotonic() < end:
                time.sleep(0.01)
            generate(builder, **{**arguments, **options})

        patch = mock.patch.object(Published, "download_and_prepare", wait_for_the_other)
        self.enter_context(patch)
        with contextlib.redirect_stdout(io.StringIO()) as out, futures.ThreadPoolExecutor(2) as pool:
            results = [future.result() for future in [pool.submit(prepare) for _ in range(2)]]
        return results, len(calls)

    def test_two_at_once_from_archives(self):
        folders, times = self.at_once(lambda: self.prepare(self.archives))
        self.assertEqual((folders, times), ([self.data_dir / "published" / "1.0.0"] * 2, 1))

    def test_two_at_once_by_download(self):
        self.head.side_effect = None
        builders, times = self.at_once(
            lambda: preparation.prepared_builder(self.builder),
            download_config=tfds.download.DownloadConfig(manual_dir=self.folder),
            download_dir=self.folder,
        )
        self.assertEqual(times, 1)
        for builder in builders:
            self.assertEqual(builder.info.splits["train"].num_examples, 5)


class MissingTest(TestCase):
    def assert_not_available(self, name, *words):
        with self.assertRaises(DataNotAvailableError) as caught:
            Dataset(name, data_dir=self.data_dir).open("train")
        self.assertEqual(caught.exception.exit_code, 3)
        for word in (f"data set {name} is not in {self.data_dir}", *words):
            self.assertIn(word, caught.exception.sentence)
        self.assertNotIn("\n", caught.exception.sentence)

    @parameterized.parameters("cifar10", "mnist", "fashion_mnist", "cifar100")
    def test_without_a_network(self, name):
        archive = f"bin/data prepare --dataset={name} --archive="
        words = (archive, "TFDS_DATA_DIR", "--data_dir", "gin/quickstart.gin", "cannot be reached")
        self.assert_not_available(name, *words)
        self.head.assert_called_once()
        self.assertFalse(self.data_dir.exists())

    @parameterized.parameters(requests.Timeout, requests.exceptions.ProxyError, requests.exceptions.SSLError)
    def test_other_ways_of_not_reaching(self, error):
        self.head.side_effect = error("no")
        self.assert_not_available("cifar10", "cannot be reached")

    @parameterized.parameters(
        tfds.download.DownloadError("Failed to get url. HTTP code: 503."),
        preparation.NonMatchingChecksumError("Artifact has wrong checksum:\n* Expected: this"),
        OSError("disk full"),
    )
    def test_publisher_answers_but_the_download_fails(self, error):
        self.head.side_effect = None
        self.patched(tfds.core.DatasetBuilder, "download_and_prepare", error)
        with contextlib.redirect_stdout(io.StringIO()):
            self.assert_not_available("cifar10", "could not be downloaded", str(error).splitlines()[0])


class DigitsTest(TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = digits_elsewhere(cls)

    def assert_digits_are_read(self, data_dir=None):
        self.assertEqual(Dataset("digits", data_dir=data_dir).open("test").num_examples, 359)

    def test_nothing_is_written_into_a_given_folder(self):
        self.data_dir.mkdir()
        self.data_dir.chmod(0o555)
        self.addCleanup(self.data_dir.chmod, 0o755)
        self.assert_digits_are_read(self.data_dir)
        self.assertEqual(list(self.data_dir.iterdir()), [])
        self.assertTrue(list(self.home.rglob("*.tfrecord*")))
        self.head.assert_not_called()

    def test_a_given_folder_that_holds_them_is_used(self):
        self.assert_digits_are_read()
        self.data_dir.mkdir()
        (digits.EMBEDDED_DIR / "digits").rename(self.data_dir / "digits")
        with mock.patch.object(Digits, "download_and_prepare", side_effect=AssertionError):
            self.assert_digits_are_read(self.data_dir)

    def test_prepared_once(self):
        self.assert_digits_are_read()
        with mock.patch.object(Digits, "download_and_prepare", side_effect=AssertionError):
            self.assert_digits_are_read()

    @parameterized.parameters(
        "", "{", "[]", "{}", "nonsense", '{"name": "digits", "splits": 3}', '{"name": "digits"}'
    )
    def test_damaged_description(self, content):
        home = self.folder / "home"
        with mock.patch.object(digits, "EMBEDDED_DIR", home):
            self.assert_digits_are_read()
            (home / "digits" / "1.0.0" / "dataset_info.json").write_text(content)
            with self.assertRaisesRegex(DataNotAvailableError, f"{home}.*cannot be read.*Remove") as caught:
                Dataset("digits").open("test")
            self.assertEqual(caught.exception.exit_code, 3)
            shutil.rmtree(home / "digits")
            self.assert_digits_are_read()

    def test_without_a_home_that_can_be_written(self):
        no_folder = self.folder / "file"
        no_folder.write_text("not a folder")
        with (
            mock.patch.object(digits, "EMBEDDED_DIR", no_folder / "cache"),
            mock.patch.object(tempfile, "tempdir", str(self.folder)),
        ):
            self.assert_digits_are_read()
            self.assertLen(list(self.folder.glob("rethink_keras_*/digits")), 1)


if __name__ == "__main__":
    absltest.main()
