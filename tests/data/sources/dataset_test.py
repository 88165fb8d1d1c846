from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.data.sources import Dataset, find_source
from rethink_keras.errors import UserError


class DatasetTest(parameterized.TestCase):
    @parameterized.parameters("cifar", "CIFAR10", "", "imagenet", 3)
    def test_unknown(self, name):
        with self.assertRaisesRegex(UserError, f"dataset.name is {name!r}.*'digits'"):
            Dataset(name)

    def test_known(self):
        for name in ("digits", "mnist", "fashion_mnist", "cifar10", "cifar100", "imagenet2012"):
            self.assertEqual(Dataset(name).name, name)
            self.assertGreater(find_source("dataset.name", name).train_examples, 1000)

    def test_the_source_is_constructed_once(self):
        self.addCleanup(config.clear)
        config.parse([], ["arrays.train = 'a.npz'", "arrays.test = 'b.npz'"])
        dataset = Dataset("arrays")
        config.clear()
        self.assertEqual((dataset.source.train, dataset.source.test), ("a.npz", "b.npz"))

    @parameterized.product(name=("train_examples", "test_examples"), count=(0, -1, 10.0, True, "10"))
    def test_number_of_examples(self, name, count):
        with self.assertRaisesRegex(UserError, f"dataset.{name} is {count!r}"):
            Dataset("digits", **{name: count})


if __name__ == "__main__":
    absltest.main()
