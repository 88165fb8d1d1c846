"""The network of a run: what is chosen for a configuration and for the devices."""

import random
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.errors import UserError
from rethink_keras.models.layers.batch_normalization import (
    FusedBatchNormalization,
    SynchronizedBatchNormalization,
)
from rethink_keras.models.nested import all_layers
from rethink_keras.training import data
from rethink_keras.training.config import RunConfig
from rethink_keras.training.distribution.devices import Devices
from rethink_keras.training.distribution.replicas import Replicas
from rethink_keras.training.network import build_network
from tests.training.small_runs import SMALL

WIDE_RESNET = ("train.model = @wide_resnet", "wide_resnet.depth = 10")


def built(*bindings, **options):
    """The compiled network of a small run."""
    config.parse([], [*SMALL, *bindings])
    run_config = RunConfig.from_gin()
    run_data, regularization = data.read(run_config)
    classes = run_data.splits.train.num_classes
    return build_network(
        run_config, run_data.train, num_classes=classes, regularization=regularization, **options
    )


def batch_norms(network):
    return [layer for layer in all_layers(network) if isinstance(layer, keras.layers.BatchNormalization)]


class BuildNetworkTest(parameterized.TestCase):
    def test_weights_depend_on_the_seed_alone(self):
        first = built("train.seed = 3").network.get_weights()
        random.random(), np.random.random(), tf.random.normal((1,))
        again, other = built("train.seed = 3").network.get_weights(), built("train.seed = 4").network
        for one, same in zip(first, again, strict=True):
            np.testing.assert_array_equal(one, same)
        self.assertFalse(np.array_equal(first[0], other.get_weights()[0]))

    def test_precision(self):
        compiled = built("train.precision = 'mixed_float16'")
        self.assertEqual(compiled.network.dtype_policy.name, "mixed_float16")
        self.assertIsInstance(compiled.network.optimizer, keras.optimizers.LossScaleOptimizer)
        self.assertEqual(keras.config.dtype_policy().name, "float32")

    def test_dropout_and_weight_decay(self):
        compiled = built("regularization.dropout = 0.25", "regularization.weight_decay = 0.5")
        rates = [layer.rate for layer in compiled.network.layers if isinstance(layer, keras.layers.Dropout)]
        self.assertEqual(rates, [0.25])
        kernels = [w for w in compiled.network.trainable_weights if w.path.endswith("kernel")]
        penalty = 0.25 * sum(np.sum(np.square(kernel)) for kernel in kernels)
        self.assertAlmostEqual(float(sum(compiled.network.losses)), penalty, places=3)
        self.assertIn("cross_entropy", [metric.name for metric in compiled.metrics])

    def test_a_network_without_dropout(self):
        with self.assertRaisesRegex(UserError, "small_inception has no dropout.*regularization.dropout"):
            built("train.model = @small_inception", "regularization.dropout = 0.5")

    def test_batch_normalization_is_fused_on_one_device(self):
        norms = batch_norms(built(*WIDE_RESNET).network)
        self.assertNotEmpty(norms)
        for layer in norms:
            self.assertIsInstance(layer, FusedBatchNormalization)

    def test_batch_normalization_is_synchronized_with_several_replicas(self):
        with mock.patch.object(Replicas, "num_replicas_in_sync", 2):
            norms = batch_norms(built(*WIDE_RESNET, devices=Devices(strategy=Replicas(["CPU:0"]))).network)
        self.assertEqual({type(layer) for layer in norms}, {SynchronizedBatchNormalization})
        self.assertTrue(all(layer.synchronized for layer in norms))

    def test_learning_rate_and_optimizer(self):
        compiled = built("train.learning_rate = 0.25", "train.optimizer = @adam", "adam.beta_1 = 0.5")
        self.assertEqual(float(compiled.learning_rate(0)), 0.25)
        self.assertEqual(compiled.network.optimizer.beta_1, 0.5)
        self.assertTrue(compiled.network.optimizer.built)

    @parameterized.parameters(
        ("train.steps_per_execution = 7", 7),
        ("train.steps_per_execution = 'auto'", 10),  # a whole epoch of a small network
    )
    def test_steps_per_execution(self, binding, steps):
        self.assertEqual(built(binding).batch_source.steps_per_batch, steps)

    def test_several_steps_per_execution_are_refused_over_several_devices(self):
        devices = Devices(strategy=Replicas(["CPU:0"]))
        with self.assertRaisesRegex(UserError, "train.steps_per_execution is 7.*train.strategy = 'none'"):
            built("train.steps_per_execution = 7", devices=devices)

    def test_another_version_of_keras_is_refused(self):
        with (
            mock.patch.object(keras, "__version__", "3.99.0"),
            self.assertRaisesRegex(UserError, r"3\.99\.0"),
        ):
            built()


if __name__ == "__main__":
    absltest.main()
