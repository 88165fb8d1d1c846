"""Several replicas of a network, as Keras 3's `fit`, `evaluate` and `predict` need them."""

from __future__ import annotations

import functools

import tensorflow as tf

from rethink_keras.data.batches import part_bounds


class KerasReplicas(tf.distribute.Strategy):
    """The two methods of a strategy that Keras 3 calls otherwise than TensorFlow's strategies expect.

    A mixin for strategies. The weights of a replica's gradients and metrics are right only if each has the part of a
    batch that `part_bounds` gives it.
    """

    def experimental_distribute_dataset(self, dataset, options=None):
        """Returns a distributed data set which deals out consecutive parts of every batch to this worker's replicas.

        TensorFlow's own method deals out parts of a fixed size: the short last batch of an epoch would be divided into
        unequal parts, of which some may be empty. Among workers, the pipeline has divided the batches already.
        """
        replicas = len(self.extended.worker_devices)
        if replicas > 1:
            dataset = dataset.flat_map(functools.partial(_parts, replicas))
        return self.distribute_datasets_from_function(lambda _: dataset, options)

    def reduce(self, reduce_op, value, axis=None):
        """Returns a value reduced over the replicas.

        Keras passes an axis with metrics, which are scalars: the axis is dropped. It also asks for the mean of a whole
        batch, images and labels, of which it uses only the shapes: a replica's own part has them.
        """
        if isinstance(value, tuple):
            return tuple(self.experimental_local_results(part)[0] for part in value)
        return super().reduce(reduce_op, value, axis=None)


class Replicas(KerasReplicas, tf.distribute.MirroredStrategy):
    """`MirroredStrategy` with which Keras trains and evaluates on batches of every size."""


class WorkerReplicas(KerasReplicas, tf.distribute.MultiWorkerMirroredStrategy):
    """`MultiWorkerMirroredStrategy` with which Keras trains and evaluates at all."""


def _parts(replicas: int, *batch: tf.Tensor) -> tf.data.Dataset:
    """Returns a batch's consecutive parts of nearly equal size, one for each replica."""
    size = tf.shape(batch[0])[0]

    def part(index):
        begin, end = part_bounds(size, index, replicas)
        return tuple(tensor[begin:end] for tensor in batch)

    return tf.data.Dataset.range(replicas, output_type=tf.int32).map(part)
