from pathlib import Path

import keras
import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.theory import expressive_models, expressivity

GENERATOR = np.random.default_rng(0)
X = GENERATOR.standard_normal((200, 20))
Y = GENERATOR.standard_normal(200)


class ExpressiveModelsTest(parameterized.TestCase):
    @parameterized.parameters(2, 3, 21)
    def test_equals_the_arrays_at_any_depth(self, depth):
        network = expressivity.fit(X, Y).network
        model = expressive_models.deep_model(network, depth)
        self.assertEqual(model.count_params(), 2 * 200 + 20)
        np.testing.assert_allclose(expressive_models.evaluate(model, X), Y, atol=1e-9)
        widths = [layer.units for layer in model.layers if hasattr(layer, "units")][1:]
        self.assertLen(widths, depth - 1)
        self.assertEqual(max(widths), -(-200 // (depth - 1)))

    def test_survives_saving(self):
        network = expressivity.fit(X, Y).network
        model = expressive_models.deep_model(network, 2)
        path = Path(self.create_tempdir().full_path) / "model.keras"
        model.save(path)
        again = keras.saving.load_model(path)
        np.testing.assert_array_equal(
            expressive_models.evaluate(again, X), expressive_models.evaluate(model, X)
        )

    @parameterized.parameters(1, 0, 202)
    def test_depth_that_is_none(self, depth):
        with self.assertRaisesRegex(UserError, "depth is"):
            expressive_models.deep_model(expressivity.fit(X, Y).network, depth)


if __name__ == "__main__":
    absltest.main()
