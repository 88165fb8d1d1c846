import keras
from absl.testing import absltest

from rethink_keras.models import mlp, small_inception
from rethink_keras.models.operations import multiply_adds, training_operations


class MultiplyAddsTest(absltest.TestCase):
    def test_mlp(self):
        self.assertEqual(multiply_adds(mlp((28, 28, 3), 10, hidden="512x256")), 2352 * 512 + 512 * 256 + 2560)

    def test_convolutions_strided_grouped_and_depthwise(self):
        model = keras.Sequential(
            [
                keras.Input((9, 9, 4)),
                keras.layers.Conv2D(6, 3, strides=2, padding="same"),
                keras.layers.Conv2D(8, 3, groups=2, padding="valid"),
                keras.layers.DepthwiseConv2D(3, padding="same"),
                keras.layers.BatchNormalization(),
            ]
        )
        by_hand = 25 * 9 * 4 * 6 + 9 * 9 * 3 * 8 + 9 * 9 * 8
        self.assertEqual(multiply_adds(model), by_hand)

    def test_nested_models(self):
        images = keras.Input((28, 28, 3))
        logits = small_inception((28, 28, 3), 10)
        outer = keras.Model(images, keras.layers.Dense(3)(logits(images)))
        self.assertEqual(multiply_adds(outer), multiply_adds(logits) + 30)

    def test_training_leaves_the_gradient_of_the_images_out(self):
        first, second = 2352 * 512, 5120
        self.assertEqual(training_operations(mlp((28, 28, 3), 10)), 2 * (2 * first + 3 * second))


if __name__ == "__main__":
    absltest.main()
