import keras
import numpy as np
from absl.testing import absltest

from rethink_keras.models import inception_v3
from tests.models.helpers import save_and_load, trainable_parameters


class InceptionV3Test(absltest.TestCase):
    def test_smallest_images_with_dropout_save_and_load(self):
        model = inception_v3((75, 75, 1), 10, dropout=0.2)
        self.assertEqual([layer.name for layer in model.layers[-2:]], ["dropout", "logits"])
        self.assertFalse(any(isinstance(layer, keras.Model) for layer in model.layers))
        images = np.random.default_rng(8).normal(size=(2, 75, 75, 1)).astype("float32")
        loaded = save_and_load(model)
        np.testing.assert_array_equal(loaded(images), model(images))
        norms = [layer for layer in loaded.layers if isinstance(layer, keras.layers.BatchNormalization)]
        self.assertEqual({norm.momentum for norm in norms}, {0.9})

    def test_parameters(self):
        model = inception_v3((299, 299, 3), 1000)
        self.assertEqual(trainable_parameters(model), 23_817_352)
        self.assertEqual(model.output_shape, (None, 1000))

    def test_small_images_are_enlarged(self):
        for shape in ((28, 28, 1), (32, 32, 3)):
            model = inception_v3(shape, 10)
            self.assertEqual(model.input_shape, (None, *shape))
            self.assertEqual(model.get_layer("enlarge").output.shape[1:3], (75, 75))
            self.assertEqual(model.output_shape, (None, 10))


if __name__ == "__main__":
    absltest.main()
