import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from rethink_keras.models import small_inception
from rethink_keras.training import normalization
from tests.training.small_runs import new_folder, run

SETTINGS = (
    {},
    {"scale": False, "epsilon": 1e-3, "momentum": 0.99},
    {"center": False, "epsilon": 1e-5, "momentum": 0.9},
)


def networks(**settings):
    """The same layer twice, as Keras computes it and fused."""
    pair = []
    for _ in range(2):
        images = keras.Input((6, 5, 4))
        pair.append(keras.Model(images, keras.layers.BatchNormalization(**settings)(images)))
    for variable in pair[0].trainable_variables:
        variable.assign(np.random.default_rng(1).uniform(0.5, 2, variable.shape))
    pair[1].set_weights(pair[0].get_weights())
    normalization.fuse(pair[1])
    return pair


def batch(seed, size=7):
    """Images whose channels differ in mean and spread."""
    spread = np.array([0.1, 1, 5, 30])
    return np.float32(np.random.default_rng(seed).normal(spread, spread, (size, 6, 5, 4)))


class FuseTest(parameterized.TestCase):
    @parameterized.parameters(*SETTINGS)
    def test_is_what_keras_computes(self, **settings):
        found = []
        for network in networks(**settings):
            x = tf.Variable(batch(2))
            with tf.GradientTape() as tape:
                y = network(x, training=True)
                loss = tf.reduce_sum(y * batch(3))
            gradients = tape.gradient(loss, [x, *network.trainable_variables])
            found.append([y, *gradients, *network.non_trainable_variables, network(batch(4))])
        for ours, keras_s in zip(*found, strict=True):
            np.testing.assert_allclose(ours, keras_s, rtol=2e-4, atol=2e-4)

    def test_moving_variance_is_the_mean_square(self):
        _, network = networks(momentum=0.0)
        x = batch(5, size=1)
        network(x, training=True)
        mean, variance = network.non_trainable_variables
        np.testing.assert_allclose(mean, x.mean((0, 1, 2)), rtol=1e-5)
        np.testing.assert_allclose(variance, x.var((0, 1, 2)), rtol=1e-5)

    def test_a_frozen_layer_keeps_its_averages(self):
        _, network = networks()
        network.layers[-1].trainable = False
        before = network.get_weights()
        network(batch(6), training=True)
        for a, b in zip(before, network.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)

    def test_computes_in_float32_under_mixed_precision(self):
        images = keras.Input((6, 5, 4))
        network = keras.Model(images, keras.layers.BatchNormalization(dtype="mixed_float16")(images))
        normalization.fuse(network)
        y = network(3e2 * batch(7), training=True)  # whose squares float16 does not hold
        self.assertEqual(y.dtype, tf.float16)
        self.assertTrue(np.isfinite(y).all())

    def test_leaves_alone_what_it_cannot_compute(self):
        images, vector = keras.Input((6, 5, 4)), keras.Input((4,))
        layers = [
            (keras.layers.BatchNormalization(axis=1), images),
            (keras.layers.BatchNormalization(renorm=True), images),
            (keras.layers.BatchNormalization(synchronized=True), images),
            (keras.layers.BatchNormalization(), vector),
        ]
        for layer, x in layers:
            normalization.fuse(keras.Model(x, layer(x)))
            self.assertNotIn("call", vars(layer))

    def test_reaches_nested_networks(self):
        network = small_inception((28, 28, 3), 10)
        images = keras.Input((28, 28, 3))
        normalization.fuse(keras.Model(images, network(images)))
        self.assertLen([layer for layer in network.layers if "call" in vars(layer)], 19)


class TrainingTest(absltest.TestCase):
    def test_trains_the_same_twice_and_saves_a_plain_network(self):
        bindings = (
            "train.model = @wide_resnet",
            "wide_resnet.depth = 10",
            "train.epochs = 1",
            "dataset.train_examples = 128",
        )
        with new_folder() as folder:
            first, second = run(folder / "a", *bindings), run(folder / "b", *bindings)
            saved = keras.saving.load_model(folder / "a" / "model.keras")
        self.assertEqual(first.summary["fingerprints"], second.summary["fingerprints"])
        plain = [layer for layer in saved.layers if isinstance(layer, keras.layers.BatchNormalization)]
        self.assertNotEmpty(plain)
        self.assertFalse(any("call" in vars(layer) for layer in plain))


if __name__ == "__main__":
    absltest.main()
