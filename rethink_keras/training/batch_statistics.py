"""Batch normalization statistics that are recomputed for an evaluation, in place of the moving averages.

Moving averages lag behind the weights. How far depends on their momentum, the learning rate and the number of steps,
so that a network with stale averages can lose several points of test accuracy which its weights have not lost.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator

import keras
import numpy as np
import tensorflow as tf

from rethink_keras.data.batches import Batches
from rethink_keras.models.copies import copy_network
from rethink_keras.models.nested import all_layers
from rethink_keras.system.signals import Stopped, StopRequest
from rethink_keras.training.evaluation import MOVING_AVERAGES, RECOMPUTED, Evaluation


class MovingAverages:
    """The statistics that training keeps, unchanged.

    Attributes:
        name: what the column `batch_norm` of `metrics.csv` contains.
    """

    def __init__(self, name: str = MOVING_AVERAGES):
        self.name = name

    def for_evaluation(self, stop: StopRequest) -> contextlib.AbstractContextManager:
        """Puts the statistics in place for the length of the block."""
        return contextlib.nullcontext()


class BatchStatistics(MovingAverages):
    """The mean moments of training batches, computed on fixed weights.

    The batches are the first whole ones of the training set in the order of the example ids, of the training batch
    size, not augmented, and the same in every epoch. Each batch passes forward through a copy of the network that
    normalizes every layer by the batch's own mean and variance, as training does, and whose other layers are in
    inference mode: dropout is off. The moments of the batches are averaged with equal weights, as a moving average
    without lag would. The copy is computed without a distribution strategy: several replicas or workers each compute
    the same batches, whole.

    The network's weights, moving averages, seed generators, metrics and optimizer are not changed, except for the
    moving averages inside the block of `for_evaluation`.

    Args:
        network: built; with batch normalization.
        batches: of the training split.
        batch_size: examples of a training step, over all replicas.
        count: number of batches; a smaller training set gives all of its whole batches.
    """

    def __init__(self, network: keras.Model, batches: Batches, batch_size: int, count: int):
        super().__init__(RECOMPUTED)
        self.count = min(count, batches.num_examples // batch_size)
        self._network = network
        self._batches = batches.first_whole_batches(batch_size, self.count)

    @contextlib.contextmanager
    def for_evaluation(self, stop: StopRequest) -> Iterator[None]:
        """Puts the recomputed statistics in place of the moving averages for the length of the block.

        Raises:
            Stopped: A stop was requested meanwhile; the moving averages are back in place.
        """
        statistics = _statistics(self._network)
        moving_averages = [np.asarray(variable) for variable in statistics]
        try:
            for variable, value in zip(statistics, self._mean_moments(stop), strict=True):
                variable.assign(value)
            yield
        finally:
            for variable, value in zip(statistics, moving_averages, strict=True):
                variable.assign(value)

    def _mean_moments(self, stop: StopRequest) -> list[np.ndarray]:
        self._copy.set_weights(self._network.get_weights())
        of_batch = _statistics(self._copy)
        sums = [np.zeros(variable.shape) for variable in of_batch]
        for images, _ in self._batches:
            self._forward(images)
            for total, variable in zip(sums, of_batch, strict=True):
                total += np.asarray(variable)
            if stop:
                raise Stopped
        return [np.asarray(total / self.count, np.float32) for total in sums]

    @functools.cached_property
    def _copy(self) -> keras.Model:
        return _normalized_by_batches(self._network)

    @functools.cached_property
    def _forward(self) -> Callable[[tf.Tensor], object]:
        return tf.function(lambda images: self._copy(images, training=False))


def choose(how: Evaluation, network: keras.Model, batches: Batches, batch_size: int) -> MovingAverages:
    """Returns the statistics that `evaluation.batch_norm` names, and prints what is recomputed.

    Args:
        how: the configured evaluation.
        network: built.
        batches: of the training split.
        batch_size: examples of a training step, over all replicas.
    """
    if not any(isinstance(layer, keras.layers.BatchNormalization) for layer in all_layers(network)):
        if how.batch_norm == RECOMPUTED:
            print(
                f"Note: {network.name} has no batch norm, so evaluation.batch_norm changes nothing.",
                flush=True,
            )
        return MovingAverages("none")
    if how.batch_norm == MOVING_AVERAGES:
        return MovingAverages()
    statistics = BatchStatistics(network, batches, batch_size, how.batch_norm_batches)
    print(
        f"Batch norm: statistics are recomputed over {statistics.count} training batches of {batch_size} before "
        "each evaluation.",
        flush=True,
    )
    return statistics


class _NormalizedByBatch(keras.layers.BatchNormalization):
    """Normalizes by the moments of the batch in inference too, and keeps them in place of moving averages.

    A layer that does not train normalizes by its moving averages in training, and so it does here.
    """

    def __init__(self, **config):
        super().__init__(**{**config, "momentum": 0.0, "synchronized": False})

    def call(self, inputs, training=None, mask=None):
        return super().call(inputs, training=True, mask=mask)


def _normalized_by_batches(network: keras.Model) -> keras.Model:
    def copy(layer: keras.layers.Layer) -> keras.layers.Layer:
        is_norm = isinstance(layer, keras.layers.BatchNormalization)
        return (_NormalizedByBatch if is_norm else type(layer)).from_config(layer.get_config())

    return copy_network(network, copy)


def _statistics(network: keras.Model) -> list[keras.Variable]:
    norms = (layer for layer in all_layers(network) if isinstance(layer, keras.layers.BatchNormalization))
    return [variable for norm in norms for variable in (norm.moving_mean, norm.moving_variance)]
