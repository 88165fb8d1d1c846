"""Batch normalization statistics of an evaluation: the moving averages of training, or recomputed ones.

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
from rethink_keras.models.copies import has_batch_norm, replace_batch_norm
from rethink_keras.models.nested import all_layers
from rethink_keras.system.signals import Stopped, StopRequest
from rethink_keras.training import start_lines
from rethink_keras.training.evaluation import MOVING_AVERAGES, RECOMPUTED, Evaluation


class MovingAverages:
    """The statistics that training keeps, unchanged.

    Attributes:
        name: Value of the column `batch_norm` of `metrics.csv`.
        count: Number of training batches that are read before each evaluation: none.
    """

    count = 0

    def __init__(self, name: str = MOVING_AVERAGES):
        self.name = name

    def for_evaluation(
        self, stop: StopRequest, on_batch: Callable[[int], object] | None = None
    ) -> contextlib.AbstractContextManager:
        """Returns a context in which the network normalizes by these statistics.

        Args:
            stop: Ends the computation of statistics.
            on_batch: Called after each training batch that is read, with the number of those so far.
        """
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
        network: A built network with batch normalization.
        batches: Of the training split.
        batch_size: Examples of a training step, over all replicas.
        count: Number of batches; a smaller training set gives all of its whole batches.
    """

    def __init__(self, network: keras.Model, batches: Batches, batch_size: int, count: int):
        super().__init__(RECOMPUTED)
        self.count = min(count, batches.num_examples // batch_size)
        self._network = network
        self._batches = batches
        self._batch_size = batch_size

    @contextlib.contextmanager
    def for_evaluation(
        self, stop: StopRequest, on_batch: Callable[[int], object] | None = None
    ) -> Iterator[None]:
        """Returns a context in which the recomputed statistics take the place of the moving averages.

        Args:
            stop: Ends the computation of statistics.
            on_batch: Called after each training batch, with the number of those so far.

        Raises:
            Stopped: A stop was requested meanwhile; the moving averages are back in place.
        """
        statistics = _statistics(self._network)
        moving_averages = [np.asarray(variable) for variable in statistics]
        try:
            for variable, value in zip(statistics, self._mean_moments(stop, on_batch), strict=True):
                variable.assign(value)
            yield
        finally:
            for variable, value in zip(statistics, moving_averages, strict=True):
                variable.assign(value)

    def _mean_moments(self, stop: StopRequest, on_batch: Callable[[int], object] | None) -> list[np.ndarray]:
        self._copy.set_weights(self._network.get_weights())
        moments = _statistics(self._copy)
        sums = [np.zeros(variable.shape) for variable in moments]
        batches = self._batches.eager_batches(self._batch_size, self.count)
        for done, (images, _) in enumerate(batches, start=1):
            self._forward(images)
            for total, variable in zip(sums, moments, strict=True):
                total += np.asarray(variable)
            if on_batch is not None:
                on_batch(done)
            if stop:
                raise Stopped
        return [np.asarray(total / self.count, np.float32) for total in sums]

    @functools.cached_property
    def _copy(self) -> keras.Model:
        # With momentum 0, the moving averages after a batch are the moments of that batch.
        return replace_batch_norm(self._network, _BatchMoments, momentum=0.0, synchronized=False)

    @functools.cached_property
    def _forward(self) -> Callable[[tf.Tensor], object]:
        return tf.function(lambda images: self._copy(images, training=False))


def choose(how: Evaluation, network: keras.Model, batches: Batches, batch_size: int) -> MovingAverages:
    """Returns the statistics that `evaluation.batch_norm` names, and prints what is recomputed.

    Args:
        how: The configured evaluation.
        network: Built.
        batches: Of the training split.
        batch_size: Examples of a training step, over all replicas.
    """
    if not has_batch_norm(network):
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
        start_lines.line(
            "Batch norm",
            f"statistics recomputed over {statistics.count} training batches of {batch_size} before each evaluation",
        ),
        flush=True,
    )
    return statistics


class _BatchMoments(keras.layers.BatchNormalization):
    """Batch normalization by the moments of the batch in inference too.

    A layer that is not trainable normalizes by its moving averages in training, and so it does here.
    """

    def call(self, inputs, training=None, mask=None):
        return super().call(inputs, training=True, mask=mask)


def _statistics(network: keras.Model) -> list[keras.Variable]:
    norms = (layer for layer in all_layers(network) if isinstance(layer, keras.layers.BatchNormalization))
    return [variable for norm in norms for variable in (norm.moving_mean, norm.moving_variance)]
