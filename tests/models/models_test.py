"""What holds for every family: shapes, logits, mixed precision, saving, and plain errors."""

import functools

import keras
import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras import models
from rethink_keras.errors import UserError
from tests.models.helpers import save_and_load

FAMILIES = {
    "small_inception": models.small_inception,
    "small_inception_no_batch_norm": functools.partial(models.small_inception, batch_norm=False),
    "small_alexnet": models.small_alexnet,
    "mlp": functools.partial(models.mlp, hidden="16x8"),
    "wide_resnet": functools.partial(models.wide_resnet, depth=10),
}
WITH_DROPOUT = {
    "mlp": functools.partial(models.mlp, hidden="16x8", dropout=0.5),
    "wide_resnet": functools.partial(models.wide_resnet, depth=10, dropout=0.5),
}


def named(table):
    return parameterized.named_parameters(*table.items())


class ModelsTest(parameterized.TestCase):
    @named(FAMILIES)
    def test_maps_images_of_any_size_to_logits(self, build):
        for shape in ((8, 8, 1), (28, 28, 3), (32, 32, 3), (9, 15, 3), (224, 224, 1)):
            model = build(shape, 7)
            self.assertEqual(model.input_shape, (None, *shape))
            self.assertEqual(model.output_shape, (None, 7))
            self.assertIsNot(getattr(model.layers[-1], "activation", None), keras.activations.softmax)

    @named(FAMILIES | {name + "_dropout": build for name, build in WITH_DROPOUT.items()})
    def test_saves_and_loads_with_identical_outputs(self, build):
        keras.utils.set_random_seed(1)
        model = build((8, 8, 3), 5)
        for weight in model.weights:  # moving statistics and offsets that are not the initial ones
            weight.assign(weight + keras.random.uniform(weight.shape, 0.0, 0.1))
        images = np.random.default_rng(1).normal(size=(4, 8, 8, 3)).astype("float32")
        loaded = save_and_load(model)
        expected = np.asarray(model(images))
        self.assertGreater(expected.std(), 0)
        np.testing.assert_array_equal(loaded(images), expected)

    @named(FAMILIES)
    def test_logits_are_float32_under_mixed_precision(self, build):
        images = np.random.default_rng(2).normal(size=(2, 8, 8, 3)).astype("float32")
        before = keras.config.dtype_policy()
        for policy in ("mixed_bfloat16", "mixed_float16"):
            try:
                keras.config.set_dtype_policy(policy)
                logits = build((8, 8, 3), 5)(images)
            finally:
                keras.config.set_dtype_policy(before)
            self.assertEqual(keras.backend.standardize_dtype(logits.dtype), "float32")
            self.assertTrue(np.isfinite(logits).all())

    @named(FAMILIES)
    def test_refuses_impossible_shapes(self, build):
        for shape in ((28, 28), (28, None, 3), (0, 28, 3)):
            with self.assertRaisesRegex(UserError, "positive integers"):
                build(shape, 10)
        with self.assertRaisesRegex(UserError, "at least one class"):
            build((28, 28, 3), 0)

    @named({name: build for name, build in FAMILIES.items() if name != "mlp"})
    def test_refuses_images_too_small(self, build):
        build((4, 4, 1), 2)
        with self.assertRaisesRegex(UserError, "at least 4x4 pixels and was given 3x28"):
            build((3, 28, 3), 10)

    @named({"mlp": models.mlp, "wide_resnet": models.wide_resnet})
    def test_refuses_a_dropout_that_is_no_fraction(self, build):
        for dropout in (-0.1, 1.0):
            with self.assertRaisesRegex(UserError, "dropout.*below 1"):
                build((28, 28, 3), 10, dropout=dropout)


if __name__ == "__main__":
    absltest.main()
