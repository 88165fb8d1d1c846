"""The stages of a streamed split under deterministic operations: what they compute, and that they run in parallel."""

import contextlib
import io
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from rethink_keras.data import distortion, random_bits, streaming
from rethink_keras.data.augmentation import NO_AUGMENTATION, Augmentation
from rethink_keras.data.batches import WHOLE_BATCH, BatchShard
from rethink_keras.data.preprocessing import Preprocessing
from rethink_keras.data.present_epoch import PresentEpoch
from rethink_keras.data.random_bits import Stream
from rethink_keras.data.randomization import Randomization
from rethink_keras.data.sources import Dataset
from rethink_keras.data.streaming import StreamedPipeline
from tests.data import made_imagenet
from tests.data.made_imagenet import TRAIN

SIZE, SEED, BLOCK = 32, 7, 16
EVERYTHING = Augmentation(random_crop=True, flip=True, color_distortion=True)


class StreamedStagesTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        tf.config.experimental.enable_op_determinism()
        cls.enter_context(contextlib.redirect_stdout(io.StringIO()))
        cls.enter_context(made_imagenet.prepared())
        cls.enter_context(mock.patch.object(streaming, "BLOCK", BLOCK))
        cls.train = Dataset("imagenet2012").open("train")
        paths, cls.first_ids = cls.train.shards()
        cls.shards = [list(tf.data.TFRecordDataset(path)) for path in paths]

    def pipeline(self, augmentation=EVERYTHING, shard=WHOLE_BATCH, **how):
        preprocessing = Preprocessing(crop=SIZE, normalization="symmetric")
        how = Randomization(**{"seed": 0, **how})
        return StreamedPipeline(self.train, how, preprocessing, augmentation, SEED, shard)

    @parameterized.parameters((0, 0, WHOLE_BATCH), (3, 2, WHOLE_BATCH), (3, 1, BatchShard(1, 3)))
    def test_batches_are_those_of_the_order_and_the_draws_of_the_epoch(self, epoch, first_step, shard):
        """One by one in Python, from the order of records to the distorted image."""
        pipeline, batch_size = self.pipeline(shard=shard), 8
        batches = pipeline.training_batches(batch_size, first_step)
        pipeline.set_epoch(epoch)
        order = self.epoch_order(epoch)
        self.assertLen(set(order), TRAIN)
        for step, (images, labels) in enumerate(batches, start=first_step):
            of_batch = order[step * batch_size : (step + 1) * batch_size]
            begin, end = shard.bounds(len(of_batch))
            expected, true_labels = zip(*(self.example(k, epoch) for k in of_batch[begin:end]), strict=True)
            np.testing.assert_array_equal(labels, true_labels)
            np.testing.assert_allclose(images, np.stack(expected), atol=1e-4)
        self.assertEqual(step, pipeline.steps(batch_size) - 1)

    def test_one_dataset_reads_each_epoch_when_its_iteration_begins(self):
        """`fit` iterates over the same dataset in all epochs."""
        pipeline = self.pipeline()
        batches = pipeline.training_batches(8)
        for epoch in (0, 1, 12, 3):
            pipeline.set_epoch(epoch)
            seen = np.concatenate([labels for _, labels in batches])
            order = self.epoch_order(epoch)
            np.testing.assert_array_equal(seen, [self.example(k, epoch)[1] for k in order])

    def test_an_iteration_keeps_its_epoch(self):
        pipeline = self.pipeline()
        undisturbed = [images for images, _ in pipeline.training_batches(8)]
        iterator = iter(pipeline.training_batches(8))
        first, _ = next(iterator)
        pipeline.set_epoch(1)
        for images, expected in zip([first, *(i for i, _ in iterator)], undisturbed, strict=True):
            np.testing.assert_array_equal(images, expected)

    @parameterized.product(
        (
            {"pixels": "true", "augmentation": EVERYTHING},
            {"pixels": "true", "augmentation": NO_AUGMENTATION},
            {"pixels": "gaussian", "augmentation": EVERYTHING},
        ),
        shard=(WHOLE_BATCH, BatchShard(0, 2)),
    )
    def test_all_stages_run_in_parallel(self, pixels, augmentation, shard):
        """The dataset that TensorFlow runs, after its rewriting for determinism, has the parallel stages.

        The rewriting turns off prefetching exactly where it makes these stages sequential for being asynchronous.
        """
        decode = StreamedPipeline._of_this_worker

        def decode_in_parallel(pipeline, *args):
            following = ("MapAndBatch", "ParallelMap", "AssertCardinality", "Prefetch")
            return _followed_by(decode(pipeline, *args), *following)

        pipeline = self.pipeline(augmentation, shard, pixels=pixels)
        with (
            _reading_in_parallel(),
            mock.patch.object(StreamedPipeline, "_of_this_worker", decode_in_parallel),
        ):
            for batches in (pipeline.training_batches(8), pipeline.evaluation_batches(8)):
                next(iter(batches))

    def test_a_variable_in_any_stage_would_make_all_of_them_sequential(self):
        """So the test above can fail."""
        variable = tf.Variable(0, dtype=tf.int64)
        reading = tf.data.Dataset.range(1).map(lambda _: variable.read_value())
        with mock.patch.object(PresentEpoch, "dataset", lambda _: reading), _reading_in_parallel():
            batches = self.pipeline().training_batches(8)
        with self.assertRaisesRegex(tf.errors.InvalidArgumentError, "encountered Interleave"):
            next(iter(batches))

    def epoch_order(self, epoch):
        """Returns the ids of an epoch: shards in a drawn order, read in turn, then permuted block by block."""
        drawn = random_bits.permutation(SEED, Stream.EPOCH_ORDER, 0, len(self.shards), epoch)
        ids_of_shards = [self.first_ids[k] + np.arange(len(self.shards[k])) for k in drawn]
        rounds = range(max(map(len, self.shards)))
        read = [ids[k] for k in rounds for ids in ids_of_shards if k < len(ids)]
        mixed = []
        for number, start in enumerate(range(0, len(read), BLOCK), start=1):
            block = np.array(read[start : start + BLOCK])
            mixed.extend(block[random_bits.permutation(SEED, Stream.EPOCH_ORDER, number, len(block), epoch)])
        return [int(k) for k in mixed]

    def example(self, example_id, epoch):
        """Returns the image and the label of an example of an epoch."""
        by_id = [record for shard in self.shards for record in shard]
        image, label = self.train.decode(by_id[example_id])
        words = random_bits.words_in_depth(SEED, Stream.AUGMENTATION, example_id, distortion.DRAWS, epoch)
        drawn = tf.constant(random_bits.uniform(words), tf.float32)
        return distortion.crop_and_distort(image, SIZE, EVERYTHING, drawn) / 127.5 - 1, label


def _followed_by(dataset, *names):
    """Returns the dataset, whose iteration fails unless these stages follow it in what TensorFlow runs."""
    specs = tf.nest.flatten(dataset.element_spec)
    checked = tf.raw_ops.AssertNextDataset(
        input_dataset=tf.data.experimental.to_variant(dataset),
        transformations=names,
        output_types=[spec.dtype for spec in specs],
        output_shapes=[spec.shape for spec in specs],
    )
    return tf.data.experimental.from_variant(checked, dataset.element_spec)


def _reading_in_parallel():
    """Makes the iterations of datasets that are built within the context fail unless shards are read in parallel."""
    read = StreamedPipeline._records

    def checked(pipeline, shards, in_turn):
        return read(pipeline, _followed_by(shards, "ParallelInterleave"), in_turn)

    return mock.patch.object(StreamedPipeline, "_records", checked)


if __name__ == "__main__":
    absltest.main()
