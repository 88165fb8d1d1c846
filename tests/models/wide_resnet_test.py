import keras
import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.models import wide_resnet
from tests.models.helpers import trainable_parameters


class WideResnetTest(parameterized.TestCase):
    def test_parameters_and_layout_are_the_companions(self):
        model = wide_resnet((32, 32, 3), 10)
        self.assertEqual(trainable_parameters(model), 369_498)
        for group, side, channels in ((1, 32, 16), (2, 16, 32), (3, 8, 64)):
            shape = model.get_layer(f"group_{group}_block_4_add").output.shape
            self.assertEqual(shape, (None, side, side, channels))
        shortcuts = [layer.name for layer in model.layers if "shortcut" in layer.name]
        self.assertEqual(shortcuts, ["group_2_block_1_shortcut_conv", "group_3_block_1_shortcut_conv"])
        norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
        self.assertLen(norms, 25)
        for norm in norms:
            self.assertEqual([weight.name for weight in norm.trainable_weights], ["gamma", "beta"])

    def test_width_and_depth(self):
        # WRN-16-4 as published has 2.7 million parameters.
        self.assertEqual(trainable_parameters(wide_resnet((32, 32, 3), 10, depth=16, width=4)), 2_748_890)

    def test_strided_convolutions_are_centred_on_the_shortcuts_pixels(self):
        model = wide_resnet((8, 8, 3), 2, depth=10)
        convolution = model.get_layer("group_2_block_1_1_conv")
        kernel = np.zeros(convolution.kernel.shape, "float32")
        kernel[1, 1, :, :16] = np.eye(16)
        convolution.kernel.assign(kernel)
        x = np.random.default_rng(6).normal(size=(1, 8, 8, 16)).astype("float32")
        got = convolution(model.get_layer("group_2_block_1_1_pad")(x))
        np.testing.assert_allclose(got[..., :16], x[:, ::2, ::2], rtol=1e-6)

    def test_initialization(self):
        keras.utils.set_random_seed(7)
        model = wide_resnet((8, 8, 3), 10, depth=10, width=4)
        kernel = model.get_layer("group_3_block_1_1_conv").get_weights()[0]  # [3, 3, 128, 256]
        np.testing.assert_allclose(kernel.std(), np.sqrt(2 / (9 * 256)), rtol=0.01)
        self.assertGreater(np.abs(kernel).max(), 4 * kernel.std())  # not truncated
        np.testing.assert_allclose(
            np.abs(model.get_layer("logits").get_weights()[0]).max(), 1 / 16, rtol=0.01
        )

    def test_dropout_is_between_the_convolutions_of_a_block(self):
        names = [layer.name for layer in wide_resnet((8, 8, 3), 2, depth=10, dropout=0.3).layers]
        self.assertLen([name for name in names if "dropout" in name], 3)
        at = names.index("group_1_block_1_dropout")
        self.assertEqual(
            names[at - 1 : at + 2], ["group_1_block_1_2_relu", names[at], "group_1_block_1_2_conv"]
        )

    @parameterized.parameters(4, 12, 27, -2)
    def test_refuses_other_depths(self, depth):
        with self.assertRaisesRegex(UserError, r"6n \+ 4"):
            wide_resnet((32, 32, 3), 10, depth=depth)

    def test_refuses_no_width(self):
        with self.assertRaisesRegex(UserError, "width of at least 1"):
            wide_resnet((32, 32, 3), 10, width=0)


if __name__ == "__main__":
    absltest.main()
