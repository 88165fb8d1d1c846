from absl.testing import absltest

from rethink_keras import config
from rethink_keras.errors import UserError
from rethink_keras.training import data
from rethink_keras.training.config import RunConfig

SMALL = (
    "dataset.train_examples = 50",
    "dataset.test_examples = 20",
    "train.model = @mlp",
    "train.batch_size = 8",
)


class ReadTest(absltest.TestCase):
    def test_both_splits_and_the_regularization(self):
        config.parse([], [*SMALL, "augmentation.flip = True", "regularization.dropout = 0.5"])
        read, regularization = data.read(RunConfig.from_gin())
        self.assertEqual((read.train.num_examples, read.test.num_examples), (50, 20))
        self.assertTrue(read.train.augmentation.flip)
        self.assertFalse(read.test.augmentation.in_force)
        self.assertEqual((regularization.dropout, regularization.weight_decay), (0.5, 1e-4))

    def test_a_batch_larger_than_the_training_set_is_refused(self):
        config.parse([], [*SMALL, "train.batch_size = 51"])
        with self.assertRaisesRegex(UserError, "train.batch_size is 51.*50 training examples"):
            data.read(RunConfig.from_gin())


if __name__ == "__main__":
    absltest.main()
