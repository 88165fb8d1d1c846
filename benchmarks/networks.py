"""The CIFAR-10 networks as they are trained, ready to be timed: real pipeline, random labels, batches of 128."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from rethink_keras.data.pipeline import Pipeline, StandardizedPipeline
from rethink_keras.data.randomized_split import RandomizedSplit
from rethink_keras.models import mlp, small_alexnet, small_inception, wide_resnet
from rethink_keras.models.operations import training_operations
from rethink_keras.training import feeds, normalization, optimizers, trainer
from rethink_keras.training.callbacks import EpochData

BATCH_SIZE = 128
NETWORKS: dict[str, tuple[Callable[..., keras.Model], int]] = {  # builder, side of the images in pixels
    "mlp_1x512": (functools.partial(mlp, hidden="512"), 28),
    "mlp_3x512": (functools.partial(mlp, hidden="512x512x512"), 28),
    "small_alexnet": (small_alexnet, 28),
    "small_inception": (small_inception, 28),
    "small_inception_no_bn": (functools.partial(small_inception, batch_norm=False), 28),
    "wide_resnet_28_1": (wide_resnet, 32),
}


class Trained:
    """A network in training, as `bin/train` trains it: SGD with momentum, by `fit`, an execution after another.

    Args:
        name: one of `NETWORKS`.
        pipeline: of the training split, its images of the network's side.

    Attributes:
        network: the compiled network.
        operations: floating-point operations of a training step for each image, as counted.
    """

    def __init__(self, name: str, pipeline: Pipeline):
        self.network = NETWORKS[name][0](pipeline.input_shape, 10)
        self.network.compile(
            optimizers.sgd(keras.optimizers.schedules.ExponentialDecay(0.01, 391, 0.95, staircase=True)),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=[keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
            jit_compile=False,
        )
        normalization.fuse(self.network)
        self.operations = training_operations(self.network)
        steps = pipeline.num_examples // BATCH_SIZE  # whole batches
        size = trainer.steps_an_execution(self.network, BATCH_SIZE, steps)
        self._feed = feeds.StepFeed(self.network, pipeline, BATCH_SIZE, size)
        self._epoch_data = EpochData(pipeline)
        self._most = steps // size
        self._seconds = self._fit(1) / size  # compiles
        self._seconds = self._fit(1) / size  # of a step, for a first guess

    def images_per_second(self, seconds: float) -> float:
        """Trains for about so many seconds and returns the images a second."""
        size = self._feed.steps_per_batch
        executions = int(np.clip(round(seconds / (size * self._seconds)), 1, self._most))
        done = spent = 0.0
        while spent < seconds * 0.9:
            spent += self._fit(executions)
            done += executions * size
        self._seconds = spent / done
        return BATCH_SIZE / self._seconds

    def _fit(self, executions: int) -> float:
        begin = time.perf_counter()
        self.network.fit(
            self._feed.dataset(0).take(executions), verbose=0, shuffle=False, callbacks=[self._epoch_data]
        )
        return time.perf_counter() - begin


class OneBatch(StandardizedPipeline):
    """Gives its first batch again and again, without a gather: training as if data cost nothing."""

    def __init__(self, split: RandomizedSplit):
        super().__init__(split)
        first = super().training_batch(tf.constant(0), BATCH_SIZE)
        self._batch = tf.constant(first[0]), tf.constant(first[1])

    def training_batch(
        self, step: tf.Tensor, batch_size: int, *, whole: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The first batch."""
        return self._batch
