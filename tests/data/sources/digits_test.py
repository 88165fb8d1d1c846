import numpy as np
import sklearn.datasets
from absl.testing import absltest, parameterized

from rethink_keras.data.sources import Dataset
from rethink_keras.data.sources.digits import DigitsSource
from rethink_keras.errors import UserError
from tests.data.helpers import digits_elsewhere

FINGERPRINTS = {
    "train": (1438, "25a95f1c47b6cc19842fcd4b3ca35c70998adb55a10e2b63d0ab8808128e935a"),
    "test": (359, "e916ed25cb5c93dd93ba9c30e08e7ade520b99fcccb09d5f604ee7c7eec78ddd"),
}


class DigitsTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        digits_elsewhere(cls)
        cls.splits = {split: Dataset("digits").open(split) for split in ("train", "test")}

    @parameterized.parameters("train", "test")
    def test_golden(self, split):
        digits = self.splits[split]
        count, fingerprint = FINGERPRINTS[split]
        self.assertEqual(digits.fingerprint, fingerprint)
        self.assertEqual((digits.name, digits.split, digits.is_test), ("digits", split, split == "test"))
        self.assertEqual(digits.num_examples, count)
        self.assertEqual(digits.images.shape, (count, 8, 8, 1))
        self.assertEqual((digits.images.min(), digits.images.max()), (0, 255))
        self.assertEqual([a.dtype for a in (digits.images, digits.labels, digits.ids)], ["u1", "i8", "i8"])
        np.testing.assert_array_equal(digits.ids, np.arange(count))
        self.assertEqual((digits.num_classes, digits.class_names), (10, tuple("0123456789")))

    def test_all_digits_of_scikit_learn_each_in_one_split(self):
        original = sklearn.datasets.load_digits()
        is_test = np.arange(1797) % 5 == 4
        for split, chosen in (("train", ~is_test), ("test", is_test)):
            digits = self.splits[split]
            np.testing.assert_array_equal(digits.labels, original.target[chosen])
            levels = digits.images[..., 0] * (16 / 255)
            np.testing.assert_allclose(levels, original.images[chosen], atol=0.04)

    def test_first(self):
        train = self.splits["train"]
        few = Dataset("digits", train_examples=100).open("train")
        for part in ("images", "labels", "ids"):
            np.testing.assert_array_equal(getattr(few, part), getattr(train, part)[:100])
        self.assertEqual((few.num_examples, few.num_classes), (100, 10))
        self.assertNotEqual(few.fingerprint, train.fingerprint)
        self.assertEqual(Dataset("digits", train_examples=1438).open("train").fingerprint, train.fingerprint)

    def test_more_examples_than_there_are(self):
        with self.assertRaisesRegex(UserError, "train_examples.*is 1439.*from 1 to 1438"):
            Dataset("digits", train_examples=1439).open("train")

    def test_published_size(self):
        self.assertEqual(DigitsSource("digits").train_examples, self.splits["train"].num_examples)


if __name__ == "__main__":
    absltest.main()
