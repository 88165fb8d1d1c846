import keras
import numpy as np
from absl.testing import absltest

from rethink_keras.errors import UserError
from rethink_keras.models import small_alexnet
from rethink_keras.models.layers.local_response_normalization import LocalResponseNormalization
from tests.models.helpers import trainable_parameters


class SmallAlexnetTest(absltest.TestCase):
    def test_parameters_and_layout_are_the_papers(self):
        model = small_alexnet((28, 28, 3), 10)
        self.assertEqual(trainable_parameters(model), 1_387_786)
        self.assertEqual(
            [(layer.name, layer.output.shape[1:]) for layer in model.layers[1:]],
            [
                ("conv_1", (28, 28, 64)),
                ("pool_1", (14, 14, 64)),
                ("normalization_1", (14, 14, 64)),
                ("conv_2", (14, 14, 64)),
                ("pool_2", (7, 7, 64)),
                ("normalization_2", (7, 7, 64)),
                ("flatten", (3136,)),
                ("hidden_1", (384,)),
                ("hidden_2", (192,)),
                ("logits", (10,)),
            ],
        )
        norm = model.get_layer("normalization_1")
        self.assertIsInstance(norm, LocalResponseNormalization)
        self.assertEqual((norm.depth_radius, norm.bias, norm.beta), (4, 1.0, 0.75))
        self.assertAlmostEqual(norm.alpha, 0.001 / 9, places=12)
        self.assertEqual(model.layers[-1].activation, keras.activations.linear)

    def test_tutorial_initialization(self):
        keras.utils.set_random_seed(3)
        model = small_alexnet((28, 28, 3), 10, initializer="tutorial")
        expected = {
            "conv_1": (0.05, 0.0),
            "conv_2": (0.05, 0.1),
            "hidden_1": (0.04, 0.1),
            "hidden_2": (0.04, 0.1),
            "logits": (1 / 192, 0.0),
        }
        for name, (stddev, bias) in expected.items():
            kernel, biases = model.get_layer(name).get_weights()
            self.assertLess(np.abs(kernel).max(), 2 * stddev * 1.0001, name)
            # A normal distribution cut at two standard deviations keeps 0.8796 of its own.
            np.testing.assert_allclose(kernel.std(), 0.8796 * stddev, rtol=0.05, err_msg=name)
            np.testing.assert_array_equal(biases, np.float32(bias), err_msg=name)

    def test_refuses_an_unknown_initializer(self):
        with self.assertRaisesRegex(UserError, "'glorot'.*'glorot_uniform', 'tutorial'"):
            small_alexnet((28, 28, 3), 10, initializer="glorot")


if __name__ == "__main__":
    absltest.main()
