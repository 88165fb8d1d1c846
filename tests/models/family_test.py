import inspect

import gin
import keras
from absl.testing import absltest, parameterized

from rethink_keras import models
from rethink_keras.errors import UserError
from rethink_keras.models.family import DefaultRegularization, family


class FamilyTest(parameterized.TestCase):
    def tearDown(self):
        super().tearDown()
        gin.clear_config()

    def test_default_regularization(self):
        default_regularization = {
            models.small_inception: DefaultRegularization(4e-5),
            models.small_alexnet: DefaultRegularization(0.004, decayed_layers=("hidden_1", "hidden_2")),
            models.mlp: DefaultRegularization(1e-4),
            models.wide_resnet: DefaultRegularization(1e-4),
            models.inception_v3: DefaultRegularization(4e-5, dropout=0.2),
        }
        for build, expected in default_regularization.items():
            self.assertEqual(build.default_regularization, expected, build.__name__)

    def test_keeps_name_signature_and_docstring(self):
        self.assertEqual(models.mlp.__name__, "mlp")
        self.assertEqual(
            list(inspect.signature(models.mlp).parameters),
            ["input_shape", "num_classes", "hidden", "bias", "initializer", "gain", "dropout"],
        )
        self.assertIn("1,209,866", models.mlp.__doc__)

    def test_gin_binds_options(self):
        gin.parse_config("mlp.hidden = '6x4'\nsmall_inception.batch_norm = False")
        self.assertEqual([layer.units for layer in models.mlp((4, 4, 1), 2).layers[2:]], [6, 4, 2])
        self.assertIn("no_batch_norm", models.small_inception((8, 8, 1), 2).name)

    @parameterized.parameters("mlp.dropout", "mlp.num_classes", "mlp.input_shape", "mlp.hiden")
    def test_gin_does_not_bind(self, name):
        with self.assertRaises(ValueError):
            gin.bind_parameter(name, 1)

    def test_user_errors_pass_through_gin(self):
        gin.bind_parameter("mlp.hidden", "wide")
        with self.assertRaises(UserError) as caught:
            models.mlp((4, 4, 1), 2)
        self.assertNotIn("configurable", caught.exception.sentence)

    def test_default_dropout_needs_the_argument(self):
        def no_dropout(input_shape, num_classes) -> keras.Model:
            raise AssertionError

        with self.assertRaisesRegex(TypeError, "no_dropout.*dropout"):
            family(weight_decay=0.0, dropout=0.1)(no_dropout)

    @parameterized.parameters(
        lambda: None,
        lambda shape, num_classes: None,
        lambda num_classes, input_shape: None,
        lambda input_shape, num_classes, width=64: None,
        lambda input_shape, num_classes, *, width: None,
        lambda input_shape, num_classes, **options: None,
    )
    def test_a_signature_that_is_not_of_a_family(self, build):
        with self.assertRaisesRegex(TypeError, "input_shape, num_classes, \\*, option=default"):
            family(weight_decay=0.0)(build)

    def test_a_new_family_is_bound_and_built_by_gin(self):
        @family(weight_decay=0.5)
        def linear_for_a_test(input_shape, num_classes, *, bias: bool = True) -> keras.Model:
            images = keras.Input(input_shape)
            x = keras.layers.Flatten()(images)
            return keras.Model(images, keras.layers.Dense(num_classes, use_bias=bias)(x))

        gin.parse_config("linear_for_a_test.bias = False")
        self.assertLen(linear_for_a_test((2, 2, 1), 3).trainable_weights, 1)
        self.assertEqual(linear_for_a_test.default_regularization.weight_decay, 0.5)


if __name__ == "__main__":
    absltest.main()
