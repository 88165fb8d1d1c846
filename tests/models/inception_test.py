import keras
from absl.testing import absltest, parameterized

from rethink_keras.models import small_inception
from tests.models.helpers import trainable_parameters

LAYOUT = [  # height and width, channels after each module at 28x28x3
    ("stem_relu", 28, 96),
    ("inception_1_concat", 28, 64),
    ("inception_2_concat", 28, 80),
    ("downsample_3_concat", 14, 160),
    ("inception_4_concat", 14, 160),
    ("inception_5_concat", 14, 160),
    ("inception_6_concat", 14, 160),
    ("inception_7_concat", 14, 144),
    ("downsample_8_concat", 7, 240),
    ("inception_9_concat", 7, 336),
    ("inception_10_concat", 7, 336),
]


class SmallInceptionTest(parameterized.TestCase):
    @parameterized.parameters(True, False)
    def test_parameters_and_layout_are_the_papers(self, batch_norm):
        model = small_inception((28, 28, 3), 10, batch_norm=batch_norm)
        self.assertEqual(trainable_parameters(model), 1_649_402)
        for name, side, channels in LAYOUT:
            self.assertEqual(model.get_layer(name).output.shape, (None, side, side, channels), name)
        self.assertEqual(model.get_layer("mean_pool").output.shape, (None, 336))

    def test_batch_norm_has_offset_without_scale_after_bias_free_convolutions(self):
        model = small_inception((28, 28, 3), 10, batch_norm_momentum=0.9, batch_norm_epsilon=1e-4)
        convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
        norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
        self.assertLen(convolutions, 19)
        self.assertLen(norms, 19)
        for convolution, norm in zip(convolutions, norms, strict=True):
            self.assertLen(convolution.trainable_weights, 1)
            self.assertEqual([weight.name for weight in norm.trainable_weights], ["beta"])
            self.assertEqual((norm.momentum, norm.epsilon), (0.9, 1e-4))

    def test_without_batch_norm_convolutions_have_biases(self):
        model = small_inception((28, 28, 3), 10, batch_norm=False)
        convolutions = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
        self.assertLen(convolutions, 19)
        for convolution in convolutions:
            self.assertEqual([weight.name for weight in convolution.weights], ["kernel", "bias"])
        self.assertFalse(any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers))


if __name__ == "__main__":
    absltest.main()
