import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.data.sources import SOURCES, Dataset, ImageSet, Source, find_source
from rethink_keras.errors import UserError


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


class DatasetTest(parameterized.TestCase):
    @parameterized.parameters("cifar", "CIFAR10", "", "imagenet", 3)
    def test_unknown(self, name):
        with self.assertRaisesRegex(UserError, f"dataset.name is {name!r}.*'digits'"):
            Dataset(name)

    def test_known(self):
        for name in ("digits", "mnist", "fashion_mnist", "cifar10", "cifar100", "imagenet2012"):
            self.assertEqual(Dataset(name).name, name)
            self.assertGreater(find_source("dataset.name", name).train_examples, 1000)

    @parameterized.product(name=("train_examples", "test_examples"), count=(0, -1, 10.0, True, "10"))
    def test_number_of_examples(self, name, count):
        with self.assertRaisesRegex(UserError, f"dataset.{name} is {count!r}"):
            Dataset("digits", **{name: count})


if __name__ == "__main__":
    absltest.main()
