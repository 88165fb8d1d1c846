import keras
import numpy as np
from absl.testing import absltest

from rethink_keras.errors import UserError
from rethink_keras.models import mlp, small_inception
from rethink_keras.training.whitening import covariance, first_layer, inverse_covariance, inverse_root
from tests.training.first_layers import dense_covariance, training_images


class CovarianceTest(absltest.TestCase):
    def test_of_images(self):
        x, batches = training_images()
        np.testing.assert_allclose(dense_covariance(batches), x.T @ x / len(x), rtol=1e-4, atol=1e-4)

    def test_half_precision_rounds_images_and_not_their_sums(self):
        keras.config.set_dtype_policy("mixed_float16")
        self.addCleanup(keras.config.set_dtype_policy, "float32")
        x, batches = training_images()
        rounded = np.float64(np.float16(x))
        np.testing.assert_allclose(dense_covariance(batches), rounded.T @ rounded / len(x), atol=1e-5)

    def test_of_patches_is_what_a_convolution_multiplies(self):
        _, batches = training_images()
        network = small_inception(batches.input_shape, 10)
        stem = first_layer(network, batches, "test")
        moments = covariance(network, stem, batches)
        outputs = np.float64(stem(next(iter(batches.evaluation_batches(1000)))[0]))
        kernel = np.float64(stem.kernel.numpy()).reshape(len(moments), -1)
        expected = np.sum(kernel * (moments @ kernel), axis=0)
        np.testing.assert_allclose(np.mean(outputs**2, axis=(0, 1, 2)), expected, rtol=1e-4)


class InverseTest(absltest.TestCase):
    def test_whitens(self):
        x, batches = training_images()
        inverse = inverse_covariance(dense_covariance(batches), 1e-4)
        root = np.linalg.cholesky(inverse)
        whitened = x @ root
        self.assertAlmostEqual(np.mean(whitened**2), 1.0, places=4)
        spread = np.linalg.eigvalsh(x.T @ x / len(x))
        evened = np.linalg.eigvalsh(whitened.T @ whitened / len(x))
        directions = np.sum(spread > 1e-2)  # some pixels of the digits hardly vary
        self.assertGreater(directions, 30)
        np.testing.assert_allclose(evened[-directions:], evened[-1], rtol=0.02)

    def test_much_damping_leaves_images_as_they_are(self):
        _, batches = training_images()
        inverse = inverse_covariance(dense_covariance(batches), 1e9)
        np.testing.assert_allclose(inverse, np.eye(len(inverse)) * inverse[0, 0], atol=1e-6)

    def test_root_is_that_of_the_inverse_and_keeps_the_mean_square(self):
        _, batches = training_images()
        moments = dense_covariance(batches)
        root = inverse_root(moments, 0.1)
        self.assertAlmostEqual(np.trace(root @ moments @ root), np.trace(moments), places=6)
        # Sums in float32 are not quite symmetric on every processor, and `eigh` reads one half of the matrix.
        moments = np.tril(moments) + np.tril(moments, -1).T
        np.testing.assert_allclose(
            root @ root / inverse_covariance(moments, 0.1), np.trace(moments) / len(moments)
        )


class FirstLayerTest(absltest.TestCase):
    def test_is_the_first_with_weights(self):
        _, batches = training_images()
        self.assertEqual(first_layer(mlp(batches.input_shape, 10), batches, "test").name, "hidden_1")

    def test_refuses_other_layers_and_names_what_needs_it(self):
        _, batches = training_images()
        images = keras.Input(batches.input_shape)
        network = keras.Model(images, keras.layers.BatchNormalization(name="norm")(images))
        with self.assertRaisesRegex(UserError, "whitened_sgd is for .* begins with norm"):
            first_layer(network, batches, "whitened_sgd")


if __name__ == "__main__":
    absltest.main()
