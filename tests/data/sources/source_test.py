from unittest import mock

import numpy as np
from absl.testing import absltest

from rethink_keras.data.sources import SOURCES, Dataset, ImageSet, Source, find_source
from rethink_keras.data.sources.source import check_fits
from rethink_keras.errors import UserError
from rethink_keras.system import machine


class Stripes(Source):
    """Two classes of striped images, made in memory."""

    train_examples = 6

    def open(self, split, data_dir, count):
        del data_dir
        total = self.train_examples if split == "train" else 2
        ids = np.arange(total)[:count]
        images = np.zeros((len(ids), 4, 4, 1), np.uint8)
        images[ids % 2 == 1, ::2] = 255
        return ImageSet(self.name, split, images, ids % 2, ids, ("plain", "striped"))


class SourceTest(absltest.TestCase):
    def test_a_registered_source_is_found_by_name(self):
        SOURCES.register("stripes")(Stripes)
        dataset = Dataset("stripes", train_examples=4)
        self.assertEqual(dataset.open("train").num_examples, 4)
        self.assertEqual(dataset.open("test").num_examples, 2)
        self.assertEqual(dataset.open("test").name, "stripes")
        with self.assertRaisesRegex(UserError, "stripes needs no preparation"):
            find_source("--dataset", "stripes").prepare(None)

    def test_what_a_source_must_define(self):
        class NoSize(Source):
            def open(self, split, data_dir, count):
                raise NotImplementedError

        with self.assertRaisesRegex(TypeError, "NoSize does not define train_examples"):
            SOURCES.register("no_size")(NoSize)
        with self.assertRaisesRegex(TypeError, "no subclass of Source"):
            SOURCES.register("a_function")(lambda name: name)
        self.assertNotIn("no_size", SOURCES)


class CheckFitsTest(absltest.TestCase):
    def test_images_larger_than_the_free_memory(self):
        with mock.patch.object(machine, "free_memory", return_value=10**6):
            check_fits("mine.npz", 10**6)
            with self.assertRaisesRegex(UserError, "mine.npz need .* GiB of memory"):
                check_fits("mine.npz", 10**6 + 1)


if __name__ == "__main__":
    absltest.main()
