"""The training step: the loop over steps trains like Keras's own `fit`; XLA is used where configured, or refused."""

from pathlib import Path
from unittest import mock

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.data.splits import Splits
from rethink_keras.errors import UserError
from rethink_keras.training import steps
from rethink_keras.training.callbacks.epoch_order import EpochOrder
from tests.training.small_runs import SMALL, run

JIT = "train.jit_compile = True"
BATCH_SIZE = 32  # 300 examples: nine whole batches and a short one


def digits(*bindings):
    config.parse([], [*SMALL, *bindings])
    return Splits.from_gin(None, 0).pipeline("train")


def trained(batches, steps_per_execution=None):
    """The losses and weights of two epochs, by the loop over steps, or as Keras trains on batches."""
    keras.utils.set_random_seed(0)
    images = keras.Input(batches.input_shape)
    outputs = keras.layers.Dense(10)(keras.layers.Flatten()(images))
    network, data = keras.Model(images, outputs, name="logits_only"), batches.training_batches(BATCH_SIZE)
    if steps_per_execution:
        network = steps.InMemoryNetwork(
            network,
            batches,
            batch_size=BATCH_SIZE,
            steps_per_execution=steps_per_execution,
            compile_steps=False,
        )
        data = network.step_ranges(0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.SGD(0.05), loss, jit_compile=False)
    history = network.fit(data, epochs=2, verbose=0, shuffle=False, callbacks=[EpochOrder(batches)])
    return history.history["loss"], network


class InMemoryNetworkTest(parameterized.TestCase):
    @parameterized.parameters(1, 3, 10)
    def test_trains_as_keras_does(self, steps_per_execution):
        batches = digits()
        expected, keras_network = trained(batches)
        losses, network = trained(batches, steps_per_execution)
        np.testing.assert_allclose(losses, expected, rtol=1e-5)
        for one, other in zip(network.get_weights(), keras_network.get_weights(), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
        self.assertEqual(int(network.optimizer.iterations), 20)

    def test_is_a_functional_model_that_evaluates_batches(self):
        batches = digits()
        _, network = trained(batches, 5)
        self.assertEqual(network.name, "logits_only")
        self.assertLen(network.layers, 3)
        logits = network.predict(batches.evaluation_batches(50), verbose=0)
        self.assertEqual(logits.shape, (300, 10))

    def test_step_ranges_cover_the_rest_of_an_epoch(self):
        _, network = trained(digits(), 4)
        ranges = [tuple(map(int, pair)) for pair in network.step_ranges(3)]
        self.assertEqual(ranges, [(3, 7), (7, 10)])


class XlaTest(parameterized.TestCase):
    @parameterized.parameters(True, False)
    def test_compiles_the_step_for_data_in_memory(self, deterministic):
        more = ("train.epochs = 2", f"train.deterministic = {deterministic}")
        folder = Path(self.create_tempdir())
        plain = run(folder / "plain", *more).history
        compiled = run(folder / "compiled", *more, JIT).history
        for one, other in zip(plain, compiled, strict=True):
            self.assertAlmostEqual(one["running_loss"], other["running_loss"], places=4)
            self.assertAlmostEqual(one["test_loss"], other["test_loss"], places=4)

    def test_what_xla_cannot_compile_is_refused_and_not_run_without_it(self):
        # Max pooling has no deterministic gradient in XLA.
        with self.assertRaisesRegex(UserError, "XLA .* train.deterministic = False"):
            run(Path(self.create_tempdir()), "train.model = @small_alexnet", "train.epochs = 1", JIT)

    def test_is_refused_over_several_devices(self):
        strategy = mock.Mock(spec=tf.distribute.Strategy)
        with self.assertRaisesRegex(UserError, "train.jit_compile .* train.strategy"):
            steps.check_keras_compiles(keras.Sequential(), strategy)

    def test_is_refused_where_keras_would_omit_it(self):
        tf.config.experimental.enable_op_determinism()
        with self.assertRaisesRegex(UserError, "train.jit_compile .* train.deterministic"):
            steps.check_keras_compiles(keras.Sequential(), None)


if __name__ == "__main__":
    absltest.main()
