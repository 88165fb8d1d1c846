import keras
import numpy as np
from absl.testing import absltest

from rethink_keras.errors import UserError
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

    def test_parameters(self):
        model = inception_v3((299, 299, 3), 1000)
        self.assertEqual(trainable_parameters(model), 23_817_352)
        self.assertEqual(model.output_shape, (None, 1000))

    def test_refuses_images_too_small(self):
        with self.assertRaisesRegex(UserError, "at least 75x75 pixels and was given 32x32"):
            inception_v3((32, 32, 3), 10)


if __name__ == "__main__":
    absltest.main()
