from absl.testing import absltest

from rethink_keras.data.sources import Dataset, StreamedSet, find_source
from rethink_keras.errors import UserError
from tests.data import made_imagenet


class Imagenet2012Test(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enter_context(made_imagenet.prepared())

    def test_is_streamed_and_its_test_set_is_the_validation_set(self):
        train, test = (Dataset("imagenet2012").open(split) for split in ("train", "test"))
        self.assertIsInstance(train, StreamedSet)
        self.assertEqual(
            (train.num_examples, test.num_examples), (made_imagenet.TRAIN, made_imagenet.VALIDATION)
        )
        self.assertEqual((train.is_test, test.is_test), (False, True))

    def test_more_examples_than_there_are(self):
        with self.assertRaisesRegex(UserError, "train_examples.*is 51.*from 1 to 50"):
            Dataset("imagenet2012", train_examples=51).open("train")

    def test_published_size(self):
        self.assertEqual(find_source("dataset.name", "imagenet2012").train_examples, 1_281_167)


if __name__ == "__main__":
    absltest.main()
