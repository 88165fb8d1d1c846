import keras
from absl.testing import absltest

from rethink_keras.models.nested import all_layers


class AllLayersTest(absltest.TestCase):
    def test_layers_of_nested_models_in_place_of_the_models(self):
        innermost = keras.Sequential([keras.layers.Dense(3, name="c")], name="innermost")
        inner = keras.Sequential([keras.layers.Dense(2, name="b"), innermost], name="inner")
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4, name="a"), inner])
        self.assertEqual([layer.name for layer in all_layers(model)], ["a", "b", "c"])


if __name__ == "__main__":
    absltest.main()
