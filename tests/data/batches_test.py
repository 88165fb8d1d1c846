import itertools

import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.data.batches import WHOLE_BATCH, BatchShard
from rethink_keras.data.pipeline import StandardizedPipeline
from tests.data.helpers import image_set, randomized_split


class BatchShardTest(parameterized.TestCase):
    @parameterized.product(size=(1, 2, 7, 128), workers=(1, 2, 3, 5))
    def test_parts_are_consecutive_and_nearly_equal(self, size, workers):
        bounds = [BatchShard(index, workers).bounds(size) for index in range(workers)]
        self.assertEqual((bounds[0][0], bounds[-1][1]), (0, size))
        for (_, end), (begin, _) in itertools.pairwise(bounds):
            self.assertEqual(end, begin)
        sizes = [end - begin for begin, end in bounds]
        self.assertLessEqual(max(sizes) - min(sizes), 1)

    def test_the_whole_batch(self):
        self.assertEqual(WHOLE_BATCH.bounds(17), (0, 17))


class BatchesTest(absltest.TestCase):
    def test_eager_batches_are_whole_on_every_worker(self):
        split = randomized_split(image_set(20))
        one, of_two = StandardizedPipeline(split), StandardizedPipeline(split, shard=BatchShard(1, 2))
        expected = list(one.evaluation_batches(8).as_numpy_iterator())[:2]
        for (images, labels), (wanted_images, wanted_labels) in zip(
            of_two.eager_batches(8, 2), expected, strict=True
        ):
            np.testing.assert_array_equal(images, wanted_images)
            np.testing.assert_array_equal(labels, wanted_labels)
        self.assertEqual(of_two.shard, BatchShard(1, 2))


if __name__ == "__main__":
    absltest.main()
