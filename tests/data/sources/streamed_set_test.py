import dataclasses

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from rethink_keras.data.sources import Dataset
from tests.data import made_imagenet
from tests.data.made_imagenet import CLASSES, SHARDS, STEP, TRAIN


class StreamedSetTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enter_context(made_imagenet.prepared())
        cls.train = Dataset("imagenet2012").open("train")

    def test_shards_that_hold_the_examples_taken(self):
        paths, first_ids = self.train.shards()
        self.assertLen(paths, SHARDS)
        self.assertEqual(first_ids[0], 0)
        few = dataclasses.replace(self.train, count=int(first_ids[2]))
        self.assertEqual(few.shards()[0], paths[:2])
        one_more = dataclasses.replace(self.train, count=int(first_ids[2]) + 1)
        self.assertEqual(one_more.shards()[0], paths[:3])
        np.testing.assert_array_equal(few.ids, np.arange(first_ids[2]))

    def test_decodes_an_image_and_its_label(self):
        path = self.train.shards()[0][0]
        record = next(iter(tf.data.TFRecordDataset(path)))
        image, label = self.train.decode(record)
        self.assertEqual((image.dtype, image.shape[-1]), (tf.uint8, 3))
        brightness = image.numpy().mean()
        self.assertAlmostEqual(brightness, (int(label) + 0.5) * STEP, delta=3)

    def test_fingerprint_depends_on_split_and_number_of_examples(self):
        test = Dataset("imagenet2012").open("test")
        few = Dataset("imagenet2012", train_examples=17).open("train")
        again = Dataset("imagenet2012").open("train")
        self.assertLen({self.train.fingerprint, test.fingerprint, few.fingerprint}, 3)
        self.assertEqual(again.fingerprint, self.train.fingerprint)
        self.assertEqual((self.train.num_examples, few.num_examples), (TRAIN, 17))
        self.assertEqual((self.train.num_classes, len(self.train.class_names)), (CLASSES, CLASSES))


if __name__ == "__main__":
    absltest.main()
