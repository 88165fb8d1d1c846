"""The CIFAR-10 networks of the benchmarks, as `bin/train` builds them: random labels, no weight decay."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from rethink_keras import config as gin_config
from rethink_keras.data.pipeline import Pipeline, StandardizedPipeline
from rethink_keras.data.randomized_split import RandomizedSplit
from rethink_keras.models.operations import training_operations
from rethink_keras.training import data
from rethink_keras.training.callbacks.epoch_order import EpochOrder
from rethink_keras.training.config import RunConfig
from rethink_keras.training.network import build_network
from rethink_keras.training.regularization import ResolvedRegularization

GIN = Path(__file__).parents[1] / "gin"
RANDOM_LABELS = GIN / "with" / "random_labels.gin"
NETWORKS = {  # name: gin file
    "mlp_1x512": "table1_mlp_1x512.gin",
    "mlp_3x512": "table1_mlp_3x512.gin",
    "small_alexnet": "table1_alexnet.gin",
    "small_inception": "table1_inception.gin",
    "small_inception_no_bn": "table1_inception_no_bn.gin",
    "wide_resnet_28_1": "fitting_random_labels_wrn.gin",
}


def configure(
    name: str, gin_files: Sequence[str], bindings: Sequence[str], data_dir: str | None
) -> RunConfig:
    """Parses the configuration of a network, with random labels and without weight decay, and constructs it.

    Args:
        name: One of `NETWORKS`.
        gin_files: Gin files that are applied on top of the network's.
        bindings: Gin bindings after the files.
        data_dir: TFDS data folder; None leaves it to TFDS.
    """
    no_weight_decay = "regularization.weight_decay = 0"  # as in other systems' networks in benchmarks/peers
    gin_config.parse([GIN / NETWORKS[name], RANDOM_LABELS, *gin_files], [no_weight_decay, *bindings])
    return RunConfig.from_gin(data_dir)


class TimedTraining:
    """The training of a network, timed.

    Args:
        config: Configuration of the run, whose strategy must be one device.
        batches: The training split, in memory.
        regularization: Of the run.

    Attributes:
        network: The compiled network.
        operations: Floating-point operations of a training step for each image, as counted.
    """

    def __init__(self, config: RunConfig, batches: Pipeline, regularization: ResolvedRegularization):
        classes = config.splits.train.num_classes
        built = build_network(config, batches, num_classes=classes, regularization=regularization)
        self.network = built.network
        self.operations = training_operations(self.network)
        self._source = built.batch_source
        self._batch_size = config.train.batch_size
        self._epoch_order = EpochOrder(batches)
        # Keras's batches of an epoch, without the last one, which may be shorter.
        self._most = max((batches.steps(self._batch_size) - 1) // self._source.steps_per_batch, 1)
        self._fit(1)  # compiles
        self._seconds = self._fit(1) / self._source.steps_per_batch  # a first estimate of a step

    @classmethod
    def of(cls, config: RunConfig) -> TimedTraining:
        """Returns the training of a configuration, on its own data."""
        run_data, regularization = data.read(config)
        assert isinstance(run_data.train, Pipeline)
        return cls(config, run_data.train, regularization)

    def images_per_second(self, seconds: float) -> float:
        """Trains for about this number of seconds and returns the images per second."""
        size = self._source.steps_per_batch
        executions = int(np.clip(round(seconds / (size * self._seconds)), 1, self._most))
        done = spent = 0.0
        while spent < seconds * 0.9:
            spent += self._fit(executions)
            done += executions * size
        self._seconds = spent / done
        return self._batch_size / self._seconds

    def _fit(self, executions: int) -> float:
        begin = time.perf_counter()
        self.network.fit(
            self._source.dataset(0).take(executions), verbose=0, shuffle=False, callbacks=[self._epoch_order]
        )
        return time.perf_counter() - begin


class OneBatch(StandardizedPipeline):
    """A pipeline that returns its first batch again and again, without a gather: training as if data cost nothing."""

    def __init__(self, split: RandomizedSplit, batch_size: int):
        super().__init__(split)
        first = super().training_batch(tf.constant(0), batch_size)
        self._batch = tf.constant(first[0]), tf.constant(first[1])

    def training_batch(
        self, step: tf.Tensor, batch_size: int, *, whole: bool = False
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """Returns the first batch."""
        return self._batch
