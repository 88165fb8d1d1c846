import keras
from absl.testing import absltest

from rethink_keras import config
from rethink_keras.errors import UserError
from rethink_keras.training.optimizers import optimizer


class OptimizerTest(absltest.TestCase):
    def test_registers_the_builder_with_gin(self):
        @optimizer
        def plain_descent(learning_rate, *, momentum: float = 0.0):
            return keras.optimizers.SGD(learning_rate, momentum=momentum)

        config.parse([], ["plain_descent.momentum = 0.5", "train.optimizer = @plain_descent"])
        self.assertEqual(plain_descent(0.1).momentum, 0.5)
        with self.assertRaisesRegex(UserError, "learning_rate"):
            config.parse([], ["plain_descent.learning_rate = 0.1"])

    def test_refuses_a_builder_without_learning_rate(self):
        with self.assertRaisesRegex(TypeError, "rateless.*learning_rate"):

            @optimizer
            def rateless(*, momentum: float = 0.9):
                return keras.optimizers.SGD(0.1, momentum=momentum)

    def test_refuses_an_option_without_default(self):
        with self.assertRaisesRegex(TypeError, "undecided.*momentum"):

            @optimizer
            def undecided(learning_rate, *, momentum: float):
                return keras.optimizers.SGD(learning_rate, momentum=momentum)


if __name__ == "__main__":
    absltest.main()
