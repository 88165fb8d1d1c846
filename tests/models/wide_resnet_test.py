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

    def test_logits_initialization_of_the_companion(self):
        keras.utils.set_random_seed(7)
        model = wide_resnet((4, 4, 3), 100, depth=10, width=4, logits_initializer="glorot_normal")
        kernel, bias = model.get_layer("logits").get_weights()  # [256, 100]
        np.testing.assert_allclose(kernel.std(), np.sqrt(2 / 356), rtol=0.03)
        self.assertGreater(abs(kernel).max(), 3 * kernel.std())  # neither uniform nor truncated
        np.testing.assert_array_equal(bias, 0)

    def test_dropout_of_the_companion_is_before_the_second_norm(self):
        model = wide_resnet((8, 8, 3), 2, depth=10, dropout=0.3, dropout_place="before_norm")
        names = [layer.name for layer in model.layers]
        self.assertLen([name for name in names if "dropout" in name], 3)
        at = names.index("group_1_block_1_dropout")
        self.assertEqual(
            names[at - 1 : at + 2], ["group_1_block_1_1_conv", names[at], "group_1_block_1_2_norm"]
        )

    def test_dropout_is_between_the_convolutions_of_a_block(self):
        names = [layer.name for layer in wide_resnet((8, 8, 3), 2, depth=10, dropout=0.3).layers]
        self.assertLen([name for name in names if "dropout" in name], 3)
        at = names.index("group_1_block_1_dropout")
        self.assertEqual(
            names[at - 1 : at + 2], ["group_1_block_1_2_relu", names[at], "group_1_block_1_2_conv"]
        )

    @parameterized.parameters(
        {"depth": 4},
        {"depth": 12},
        {"depth": 27},
        {"depth": 1006},
        {"width": 0},
        {"width": 101},
        {"logits_initializer": "he_normal"},
        {"dropout_place": "nowhere"},
    )
    def test_refuses_what_it_cannot_build(self, **options):
        (name,) = options
        with self.assertRaisesRegex(UserError, name):
            wide_resnet((32, 32, 3), 10, **options)


if __name__ == "__main__":
    absltest.main()
