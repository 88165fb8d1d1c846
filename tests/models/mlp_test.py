import keras
import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.models import mlp
from tests.models.helpers import trainable_parameters


class MlpTest(parameterized.TestCase):
    @parameterized.parameters(
        ((28, 28, 3), "512", True, 1_209_866),
        ((28, 28, 3), "512x512x512", True, 1_735_178),
        ((32, 32, 3), "512", False, 1_577_984),
    )
    def test_parameters_are_the_papers(self, shape, hidden, bias, expected):
        self.assertEqual(trainable_parameters(mlp(shape, 10, hidden=hidden, bias=bias)), expected)

    @parameterized.parameters("6x4x5", ([6, 4, 5],), ((6, 4, 5),), 6)
    def test_widths(self, hidden):
        expected = [6] if hidden == 6 else [6, 4, 5]
        layers = mlp((4, 4, 1), 2, hidden=hidden).layers[2:]
        self.assertEqual([layer.units for layer in layers], [*expected, 2])
        for layer in layers[:-1]:
            self.assertEqual(layer.activation, keras.activations.relu)
        self.assertEqual(layers[-1].activation, keras.activations.linear)

    @parameterized.parameters(
        "",
        "x",
        "512x",
        "512,512",
        "-3",
        "512 x 512",
        "0",
        "1.5",
        0,
        2.5,
        True,
        None,
        ((),),
        ([4, -1],),
        (["6", "4"],),
    )
    def test_refuses_what_is_no_list_of_widths(self, hidden):
        with self.assertRaisesRegex(UserError, "joined by x"):
            mlp((4, 4, 1), 2, hidden=hidden)

    @parameterized.parameters(("glorot_uniform", 1.0), ("glorot_normal", 1.0), ("glorot_normal", 3.0))
    def test_initializers(self, initializer, gain):
        keras.utils.set_random_seed(4)
        model = mlp((16, 16, 3), 10, hidden="500x400", initializer=initializer, gain=gain)
        for name, factor in (("hidden_1", gain), ("hidden_2", gain), ("logits", 1.0)):
            kernel, bias = model.get_layer(name).get_weights()
            np.testing.assert_allclose(kernel.std(), factor * np.sqrt(2 / sum(kernel.shape)), rtol=0.03)
            # A uniform distribution ends at 1.73 deviations, a truncated normal one at 2.
            self.assertEqual(abs(kernel).max() > 2.3 * kernel.std(), initializer == "glorot_normal")
            np.testing.assert_array_equal(bias, 0)

    def test_refuses_another_initializer(self):
        with self.assertRaisesRegex(UserError, "glorot_normal"):
            mlp((4, 4, 1), 2, initializer="he_normal")

    @parameterized.parameters("9" * 5_000, "1000001", 10**400, ([2, 10**400],))
    def test_widths_that_are_too_large(self, hidden):
        with self.assertRaisesRegex(UserError, "joined by x") as caught:
            mlp((4, 4, 1), 2, hidden=hidden)
        self.assertLess(len(caught.exception.sentence), 400)

    def test_more_layers_than_keras_can_build(self):
        with self.assertRaisesRegex(UserError, "3001 hidden layers"):
            mlp((4, 4, 1), 2, hidden="x".join(["2"] * 3001))
        self.assertLen(mlp((4, 4, 1), 2, hidden="x".join(["2"] * 256)).layers, 256 + 3)

    def test_dropout_follows_every_hidden_layer(self):
        names = [layer.name for layer in mlp((4, 4, 1), 2, hidden="6x4", dropout=0.5).layers]
        self.assertEqual(
            names, ["images", "flatten", "hidden_1", "dropout_1", "hidden_2", "dropout_2", "logits"]
        )


if __name__ == "__main__":
    absltest.main()
