import keras
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.training.optimizers import sgd
from tests.training.optimizers.steps_of import RATE, assert_same_steps


class SgdTest(parameterized.TestCase):
    @parameterized.parameters({"momentum": 0.9}, {"momentum": 0.5, "nesterov": True}, {"momentum": 0.0})
    def test_steps_as_keras_does(self, **options):
        assert_same_steps(sgd(RATE, **options), keras.optimizers.SGD(RATE, **options))

    def test_checks_its_momentum(self):
        with self.assertRaisesRegex(UserError, "sgd.momentum is 1"):
            sgd(0.1, momentum=1)


if __name__ == "__main__":
    absltest.main()
