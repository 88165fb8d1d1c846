import keras
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.training.optimizers import rmsprop
from tests.training.optimizers.steps_of import RATE, assert_same_steps


class RmspropTest(parameterized.TestCase):
    def test_steps_as_keras_does(self):
        options = {"rho": 0.8, "momentum": 0.9}
        assert_same_steps(rmsprop(RATE, **options), keras.optimizers.RMSprop(RATE, **options))

    @parameterized.parameters({"rho": 1}, {"momentum": 2}, {"epsilon": 0})
    def test_checks_its_options(self, **option):
        with self.assertRaisesRegex(UserError, f"rmsprop.{next(iter(option))}"):
            rmsprop(0.1, **option)


if __name__ == "__main__":
    absltest.main()
