import functools

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from rethink_keras.training import optimizers
from tests.training.small_runs import new_folder

RATE = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.9, staircase=True)


def _apply(optimizer, variable, gradient):
    optimizer.apply([gradient], [variable])


class OptimizersTest(parameterized.TestCase):
    @parameterized.parameters(
        (optimizers.sgd, keras.optimizers.SGD, {"momentum": 0.9}),
        (optimizers.sgd, keras.optimizers.SGD, {"momentum": 0.5, "nesterov": True}),
        (optimizers.sgd, keras.optimizers.SGD, {"momentum": 0.0}),
        (optimizers.adam, keras.optimizers.Adam, {"beta_1": 0.8, "epsilon": 1e-5}),
        (optimizers.rmsprop, keras.optimizers.RMSprop, {"rho": 0.8, "momentum": 0.9}),
    )
    def test_steps_as_keras_does(self, ours, theirs, options):
        generator = np.random.default_rng(0)
        start = generator.standard_normal((5, 3)).astype(np.float32)
        variables = []
        for optimizer in (ours(RATE, **options), theirs(RATE, **options)):
            variable = keras.Variable(start)
            optimizer.build([variable])
            step = tf.function(functools.partial(_apply, optimizer, variable))
            generator = np.random.default_rng(1)
            for _ in range(7):
                step(tf.constant(generator.standard_normal((5, 3)), tf.float32))
            variables.append([np.asarray(v) for v in (variable, *optimizer.variables)])
        self.assertGreater(abs(variables[0][0] - start).max(), 0.1)
        for one, other in zip(*variables, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)

    @parameterized.parameters(optimizers.sgd, optimizers.adam)
    def test_saved_models_name_keras_classes(self, builder):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile(builder(keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.9)), "mse")
        model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
        with new_folder() as folder:
            model.save(folder / "model.keras")
            loaded = keras.models.load_model(folder / "model.keras")
        self.assertTrue(type(loaded.optimizer).__module__.startswith("keras."))
        self.assertLen(loaded.optimizer.variables, len(model.optimizer.variables))


if __name__ == "__main__":
    absltest.main()
