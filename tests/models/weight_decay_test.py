import random

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from rethink_keras import models
from rethink_keras.errors import UserError
from rethink_keras.models.weight_decay import with_weight_decay
from tests.models.helpers import save_and_load


def nested():
    inner = keras.Sequential(
        [keras.Input((8, 8, 4)), keras.layers.DepthwiseConv2D(3, name="depthwise"), keras.layers.Flatten()],
        name="inner",
    )
    images = keras.Input((8, 8, 3))
    x = inner(keras.layers.Conv2D(4, 3, padding="same", name="conv")(images))
    x = keras.layers.Dropout(0.5)(keras.layers.Dense(5, name="dense")(x))
    return keras.Model(images, x, name="nested")


MODELS = {
    "small_inception": lambda: models.small_inception((8, 8, 3), 5),
    "small_alexnet": lambda: models.small_alexnet((8, 8, 3), 5),
    "mlp": lambda: models.mlp((8, 8, 3), 5, hidden="16x8", dropout=0.5),
    "wide_resnet": lambda: models.wide_resnet((8, 8, 3), 5, depth=10, dropout=0.5),
    "nested": nested,
}


def gradients_of_penalty(model):
    with tf.GradientTape() as tape:
        penalty = tf.add_n(model.losses)
    weights = model.trainable_weights
    return {
        weight.path: (np.asarray(weight), np.asarray(gradient))
        for weight, gradient in zip(
            weights,
            tape.gradient(penalty, [w.value for w in weights], unconnected_gradients="zero"),
            strict=True,
        )
    }


class WithWeightDecayTest(parameterized.TestCase):
    @parameterized.named_parameters(*MODELS.items())
    def test_gradient_is_coefficient_times_kernel_and_nothing_else_changes(self, build):
        model = build()
        generator = random.getstate()
        decayed = with_weight_decay(model, 0.25)
        self.assertEqual(random.getstate(), generator)
        self.assertEmpty(model.losses)
        for old, new in zip(model.variables, decayed.variables, strict=True):
            self.assertIsNot(old, new)
            np.testing.assert_array_equal(old, new)

        gradients = gradients_of_penalty(decayed)
        kernels = 0
        for path, (weight, gradient) in gradients.items():
            decays = path.endswith("kernel")
            kernels += decays
            np.testing.assert_allclose(
                gradient, 0.25 * weight if decays else 0 * weight, rtol=1e-6, err_msg=path
            )
        self.assertLen(decayed.losses, kernels)

        images = np.random.default_rng(9).normal(size=(4, 8, 8, 3)).astype("float32")
        for training in (False, True):  # the same dropout masks too
            np.testing.assert_array_equal(
                decayed(images, training=training), model(images, training=training)
            )

    @parameterized.named_parameters(*MODELS.items())
    def test_all_parameters_decay_if_requested(self, build):
        decayed = with_weight_decay(build(), 0.25, parameters="all")
        for weight in decayed.trainable_weights:  # biases are 0 at first, and 0 has no gradient of a penalty
            weight.assign(np.random.default_rng(3).normal(size=weight.shape))
        gradients = gradients_of_penalty(decayed)
        self.assertLen(decayed.losses, len(gradients))
        for path, (weight, gradient) in gradients.items():
            np.testing.assert_allclose(gradient, 0.25 * weight, rtol=1e-6, err_msg=path)

    def test_refuses_a_parameter_that_cannot_have_a_penalty(self):
        model = keras.Sequential([keras.Input((4,)), keras.layers.PReLU(name="curve")])
        with self.assertRaisesRegex(UserError, "curve"):
            with_weight_decay(model, 0.1, parameters="all")
        self.assertEmpty(with_weight_decay(model, 0.1).losses)

    def test_named_layers_only(self):
        model = MODELS["small_alexnet"]()
        decayed = with_weight_decay(model, 0.5, models.small_alexnet.default_regularization.decayed_layers)
        moved = {path for path, (_, gradient) in gradients_of_penalty(decayed).items() if gradient.any()}
        self.assertEqual(moved, {"hidden_1/kernel", "hidden_2/kernel"})

    def test_a_step_of_sgd_is_the_coupled_one(self):
        model = MODELS["mlp"]()
        decayed = with_weight_decay(model, 0.1)
        before = model.get_layer("hidden_1").kernel.numpy()
        decayed.compile(keras.optimizers.SGD(0.5, momentum=0.9), loss=lambda y, logits: 0.0 * logits)
        images = np.zeros((4, 8, 8, 3), "float32")
        decayed.fit(images, np.zeros(4), batch_size=4, epochs=2, verbose=0)
        first = before * (1 - 0.5 * 0.1)
        second = first + 0.9 * (first - before) - 0.5 * 0.1 * first
        np.testing.assert_allclose(decayed.get_layer("hidden_1").kernel, second, rtol=1e-5)

    def test_survives_saving(self):
        decayed = with_weight_decay(MODELS["nested"](), 0.1, ["dense", "depthwise"])
        loaded = save_and_load(decayed)
        self.assertLen(loaded.losses, 2)
        self.assertEqual(float(sum(loaded.losses)), float(sum(decayed.losses)))

    def test_zero_is_a_plain_copy(self):
        self.assertEmpty(with_weight_decay(MODELS["mlp"](), 0.0).losses)

    def test_refuses_what_cannot_decay(self):
        model = MODELS["small_inception"]()
        for name in ("hidden_1", "stem_norm"):
            with self.assertRaisesRegex(UserError, f"{name}.*stem_conv"):
                with_weight_decay(model, 0.1, [name])
        with self.assertRaisesRegex(UserError, "negative"):
            with_weight_decay(model, -0.1)


if __name__ == "__main__":
    absltest.main()
