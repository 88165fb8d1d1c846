import functools

import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.training import optimizers

RATE = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.9, staircase=True)


def _apply(optimizer, variable, gradient):
    optimizer.apply([gradient], [variable])


def _plain_muon(learning_rate, momentum):
    return keras.optimizers.Muon(learning_rate, momentum=momentum, weight_decay=None, adam_weight_decay=None)


class OptimizersTest(parameterized.TestCase):
    @parameterized.parameters(
        (optimizers.sgd, keras.optimizers.SGD, {"momentum": 0.9}),
        (optimizers.sgd, keras.optimizers.SGD, {"momentum": 0.5, "nesterov": True}),
        (optimizers.sgd, keras.optimizers.SGD, {"momentum": 0.0}),
        (optimizers.adam, keras.optimizers.Adam, {"beta_1": 0.8, "epsilon": 1e-5}),
        (optimizers.rmsprop, keras.optimizers.RMSprop, {"rho": 0.8, "momentum": 0.9}),
        (optimizers.muon, _plain_muon, {"momentum": 0.8}),
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

    def test_muon_takes_a_convolutions_kernel_as_one_matrix(self):
        gradient = np.random.default_rng(0).standard_normal((3, 3, 4, 5)).astype(np.float32)
        moved = []
        for shape in ((3, 3, 4, 5), (36, 5)):
            kernel = keras.Variable(np.zeros(shape, np.float32))
            optimizer = optimizers.muon(0.1)
            optimizer.build([kernel])
            for _ in range(3):
                optimizer.apply([tf.constant(gradient.reshape(shape))], [kernel])
            moved.append(np.asarray(kernel).reshape(36, 5))
        np.testing.assert_allclose(*moved, rtol=1e-5, atol=1e-6)
        lengths = np.linalg.svd(moved[0], compute_uv=False) / (3 * 0.1 * 0.2 * 6)
        self.assertBetween(lengths.min(), 0.6, 1.3)
        self.assertBetween(lengths.max(), 0.6, 1.3)

    def test_muon_leaves_the_logits_and_vectors_to_adam(self):
        start = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
        for shape, name in (((5, 3), "logits"), ((15,), "offset")):
            variables = []
            for optimizer in (optimizers.muon(0.01), optimizers.adam(0.01)):
                with keras.name_scope(name):
                    variable = keras.Variable(start.reshape(shape), name="kernel")
                optimizer.build([variable])
                optimizer.apply([tf.constant(start.reshape(shape))], [variable])
                variables.append(np.asarray(variable))
            np.testing.assert_allclose(*variables, rtol=1e-5)

    def test_muons_momentum_is_checked(self):
        with self.assertRaisesRegex(UserError, "muon.momentum is 1. Give a number from 0 to below 1."):
            optimizers.muon(0.1, momentum=1)


if __name__ == "__main__":
    absltest.main()
