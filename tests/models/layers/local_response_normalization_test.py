import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.models import LocalResponseNormalization

# Large enough that the denominator is far from one.
IMAGES = (20 * np.random.default_rng(4).normal(size=(2, 3, 3, 32))).astype("float32")


def by_the_formula(x, radius=4, bias=1.0, alpha=0.001 / 9, beta=0.75):
    x = x.astype("float64")
    out = np.empty_like(x)
    for channel in range(x.shape[-1]):
        window = x[..., max(0, channel - radius) : channel + radius + 1]
        out[..., channel] = x[..., channel] / (bias + alpha * (window**2).sum(-1)) ** beta
    return out


class LocalResponseNormalizationTest(parameterized.TestCase):
    def test_window_of_nine_with_alpha_undivided(self):
        got = np.asarray(LocalResponseNormalization()(IMAGES))
        np.testing.assert_allclose(got, by_the_formula(IMAGES), rtol=1e-6)
        for other in ({"radius": 2}, {"alpha": 0.001 / 81}):  # other reproductions' mistakes
            self.assertGreater(np.abs(got - by_the_formula(IMAGES, **other)).max(), 0.1)

    @parameterized.parameters(
        {},
        {"depth_radius": 2, "bias": 2.0, "alpha": 1e-4, "beta": 0.75},
        {"depth_radius": 50, "bias": 1.5, "alpha": 1e-3, "beta": 0.6},
    )
    def test_equals_tensorflows_with_its_gradient(self, **options):
        layer = LocalResponseNormalization(**options)
        reference = {"depth_radius": 4, "bias": 1.0, "alpha": 0.001 / 9, "beta": 0.75} | options
        x = tf.constant(IMAGES)
        upstream = tf.constant(np.random.default_rng(5).normal(size=IMAGES.shape).astype("float32"))

        def value_and_gradient(function):
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = function(x)
            return y, tape.gradient(y, x, upstream)

        expected = value_and_gradient(lambda x: tf.nn.local_response_normalization(x, **reference))
        for function in (layer, tf.function(layer)):
            for got, want in zip(value_and_gradient(function), expected, strict=True):
                np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)

    def test_gradient_of_the_gradient(self):
        x = tf.constant(IMAGES[:1, :1, :1], tf.float64)
        layer = LocalResponseNormalization(dtype="float64")

        def plain(x):
            channel = np.arange(32)
            band = tf.constant(abs(channel[:, None] - channel) <= 4, tf.float64)
            return x * (1.0 + 0.001 / 9 * tf.tensordot(x**2, band, 1)) ** -0.75

        def second(function):
            with tf.GradientTape() as outer:
                outer.watch(x)
                with tf.GradientTape() as inner:
                    inner.watch(x)
                    y = tf.reduce_sum(function(x) ** 2)
                slope = tf.reduce_sum(inner.gradient(y, x) ** 2)
            return outer.gradient(slope, x)

        np.testing.assert_allclose(second(layer), second(plain), rtol=1e-9)

    @parameterized.parameters(("mixed_float16", 2e-3), ("mixed_bfloat16", 2e-2))
    def test_mixed_precision_computes_in_float32(self, policy, tolerance):
        x = 20 * IMAGES  # squares overflow float16
        got = LocalResponseNormalization(dtype=policy)(x)
        self.assertEqual(keras.backend.standardize_dtype(got.dtype), policy.removeprefix("mixed_"))
        np.testing.assert_allclose(tf.cast(got, "float32"), by_the_formula(x), rtol=tolerance, atol=tolerance)

    def test_configuration_survives(self):
        layer = LocalResponseNormalization(depth_radius=2, bias=2.0, alpha=0.1, beta=0.5, name="normal")
        again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
        self.assertEqual(again.get_config(), layer.get_config())
        self.assertEqual(again.compute_output_shape((None, 7, 7, 64)), (None, 7, 7, 64))

    def test_refuses_values_out_of_range(self):
        for options in ({"depth_radius": -1}, {"bias": 0.0}, {"alpha": -1.0}):
            with self.assertRaises(UserError):
                LocalResponseNormalization(**options)


if __name__ == "__main__":
    absltest.main()
