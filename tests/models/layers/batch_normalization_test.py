import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from rethink_keras.models.layers.batch_normalization import (
    FusedBatchNormalization,
    SynchronizedBatchNormalization,
)

SETTINGS = (
    {},
    {"scale": False, "epsilon": 1e-3, "momentum": 0.99},
    {"center": False, "epsilon": 1e-5, "momentum": 0.9},
)


def network(layer, shape=(6, 5, 4)):
    """A network of one layer, whose scale and offset are not the initial ones."""
    images = keras.Input(shape)
    model = keras.Model(images, layer(images))
    for variable in model.trainable_variables:
        variable.assign(np.random.default_rng(1).uniform(0.5, 2, variable.shape))
    return model


def batch(seed, size=7, shape=(6, 5, 4)):
    """Images whose channels differ in mean and spread."""
    spread = np.array([0.1, 1, 5, 30])
    return np.float32(np.random.default_rng(seed).normal(spread, spread, (size, *shape)))


def assert_equals_keras(layer_class, settings):
    """Asserts that outputs, gradients and moving averages are those of Keras's layer up to rounding."""
    results = []
    for each in (keras.layers.BatchNormalization, layer_class):
        model = network(each(**settings))
        x = tf.Variable(batch(2))
        with tf.GradientTape() as tape:
            y = model(x, training=True)
            loss = tf.reduce_sum(y * batch(3))
        gradients = tape.gradient(loss, [x, *model.trainable_variables])
        results.append([y, *gradients, *model.non_trainable_variables, model(batch(4))])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-4)


class FusedBatchNormalizationTest(parameterized.TestCase):
    @parameterized.parameters(*SETTINGS)
    def test_computes_what_keras_computes(self, **settings):
        assert_equals_keras(FusedBatchNormalization, settings)

    def test_uses_the_kernel_for_images(self):
        model = network(FusedBatchNormalization())
        graph = tf.function(lambda x: model(x, training=True)).get_concrete_function(batch(2)).graph
        self.assertIn("FusedBatchNormV3", graph.as_graph_def().SerializeToString().decode("latin-1"))

    def test_moving_variance_is_the_mean_square(self):
        model = network(FusedBatchNormalization(momentum=0.0))
        x = batch(5, size=1)
        model(x, training=True)
        mean, variance = model.non_trainable_variables
        np.testing.assert_allclose(mean, x.mean((0, 1, 2)), rtol=1e-5)
        np.testing.assert_allclose(variance, x.var((0, 1, 2)), rtol=1e-5)

    def test_a_frozen_layer_keeps_its_averages(self):
        model = network(FusedBatchNormalization(trainable=False))
        before = model.get_weights()
        model(batch(6), training=True)
        for a, b in zip(before, model.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_computes_in_float32_under_mixed_precision(self):
        model = network(FusedBatchNormalization(dtype="mixed_float16"))
        y = model(3e2 * batch(7), training=True)  # float16 cannot represent the squares
        self.assertEqual(y.dtype, tf.float16)
        self.assertTrue(np.isfinite(y).all())

    @parameterized.parameters(
        ({"axis": 1}, (4, 5, 4)),
        ({"renorm": True}, (6, 5, 4)),
        ({"synchronized": True}, (6, 5, 4)),
        ({}, (4,)),
    )
    def test_other_inputs_and_options_are_computed_by_keras(self, settings, shape):
        x = batch(8, shape=shape)
        results = [
            network(layer_class(**settings), shape)(x, training=True)
            for layer_class in (keras.layers.BatchNormalization, FusedBatchNormalization)
        ]
        np.testing.assert_array_equal(*results)


class SynchronizedBatchNormalizationTest(parameterized.TestCase):
    """On one device; `tests/training/distribution/replicas_test.py` has several."""

    @parameterized.parameters(*SETTINGS, {"renorm": True}, {"axis": 1}, {"trainable": False})
    def test_computes_what_keras_computes(self, **settings):
        assert_equals_keras(SynchronizedBatchNormalization, settings)

    def test_variance_of_a_mean_that_is_large_against_it(self):
        model = network(SynchronizedBatchNormalization(momentum=0.0, synchronized=True))
        x = batch(5) + 1000
        y = model(x, training=True)
        mean, variance = model.non_trainable_variables
        np.testing.assert_allclose(mean, x.mean((0, 1, 2), np.float64), rtol=1e-6)
        np.testing.assert_allclose(variance, x.var((0, 1, 2), np.float64), rtol=1e-3)
        self.assertTrue(np.isfinite(y).all())

    def test_computes_in_float32_under_mixed_precision(self):
        model = network(SynchronizedBatchNormalization(dtype="mixed_bfloat16"))
        y = model(batch(7), training=True)
        self.assertEqual(y.dtype, tf.bfloat16)
        self.assertEqual(model.non_trainable_variables[0].dtype, "float32")


if __name__ == "__main__":
    absltest.main()
