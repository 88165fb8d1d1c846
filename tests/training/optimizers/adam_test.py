import keras
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.training.optimizers import adam
from tests.training.optimizers.steps_of import RATE, assert_same_steps


class AdamTest(parameterized.TestCase):
    def test_steps_as_keras_does(self):
        options = {"beta_1": 0.8, "epsilon": 1e-5}
        assert_same_steps(adam(RATE, **options), keras.optimizers.Adam(RATE, **options))

    @parameterized.parameters({"beta_1": 1}, {"beta_2": -0.1}, {"epsilon": 0})
    def test_checks_its_options(self, **option):
        with self.assertRaisesRegex(UserError, f"adam.{next(iter(option))}"):
            adam(0.1, **option)


if __name__ == "__main__":
    absltest.main()
