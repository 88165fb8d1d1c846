import keras
import numpy as np
import tensorflow as tf
from absl.testing import absltest

from rethink_keras.errors import UserError
from rethink_keras.training.optimizers import adam, muon
from tests.training.optimizers.steps_of import RATE, START, assert_same_steps


class MuonTest(absltest.TestCase):
    def test_steps_as_keras_does(self):
        theirs = keras.optimizers.Muon(RATE, momentum=0.8, weight_decay=None, adam_weight_decay=None)
        assert_same_steps(muon(RATE, momentum=0.8), theirs)

    def test_takes_a_convolutions_kernel_as_one_matrix(self):
        gradient = np.random.default_rng(0).standard_normal((3, 3, 4, 5)).astype(np.float32)
        moved = []
        for shape in ((3, 3, 4, 5), (36, 5)):
            kernel = keras.Variable(np.zeros(shape, np.float32))
            optimizer = muon(0.1)
            optimizer.build([kernel])
            for _ in range(3):
                optimizer.apply([tf.constant(gradient.reshape(shape))], [kernel])
            moved.append(np.asarray(kernel).reshape(36, 5))
        np.testing.assert_allclose(*moved, rtol=1e-5, atol=1e-6)
        lengths = np.linalg.svd(moved[0], compute_uv=False) / (3 * 0.1 * 0.2 * 6)
        self.assertBetween(lengths.min(), 0.6, 1.3)
        self.assertBetween(lengths.max(), 0.6, 1.3)

    def test_trains_the_logits_and_vectors_by_adam(self):
        for shape, name in (((5, 3), "logits"), ((15,), "offset")):
            variables = []
            for optimizer in (muon(0.01), adam(0.01)):
                with keras.name_scope(name):
                    variable = keras.Variable(START.reshape(shape), name="kernel")
                optimizer.build([variable])
                optimizer.apply([tf.constant(START.reshape(shape))], [variable])
                variables.append(np.asarray(variable))
            np.testing.assert_allclose(*variables, rtol=1e-5)

    def test_checks_its_momentum(self):
        with self.assertRaisesRegex(UserError, "muon.momentum is 1"):
            muon(0.1, momentum=1)


if __name__ == "__main__":
    absltest.main()
