import dataclasses

import gin
from absl.testing import absltest

from rethink_keras import config
from rethink_keras.config.configurables import example, known_names, known_parameters, owners, short_name
from rethink_keras.errors import UserError
from rethink_keras.training.config import TrainConfig


@gin.configurable(module="rethink_keras.configurables_test", denylist=["water"])
def boiled(water, minutes=3, *, sea_salt=0.5):
    return water, minutes, sea_salt


@gin.configurable("fried", module="rethink_keras.configurables_test")
class Fried:
    def __init__(self, oil="olive"):
        self.oil = oil


@gin.configurable("steamed", module="rethink_keras.configurables_test")
@dataclasses.dataclass
class Steamed:
    sea_salt: float = dataclasses.field(default=0.5, metadata={"example": "0.25"})
    lid: bool = True


class ConfigurablesTest(absltest.TestCase):
    def test_parameters_and_defaults_of_what_gin_wraps(self):
        self.assertEqual(config.parameters(boiled), ["water", "minutes", "sea_salt"])
        self.assertEqual(config.default(boiled, "sea_salt"), 0.5)
        self.assertEqual(config.default(Fried, "oil"), "olive")
        self.assertEqual(config.default(TrainConfig, "epochs"), 69)

    def test_references(self):
        self.assertEqual(config.reference(boiled), "@boiled")
        with self.assertRaisesRegex(UserError, "unknown.*@name"):

            def unknown():
                pass

            config.reference(unknown)

    def test_names_and_what_can_be_bound(self):
        self.assertContainsSubset({"boiled", "fried", "train"}, known_names())
        self.assertEqual(known_parameters("boiled"), ["minutes", "sea_salt"])
        self.assertEqual(known_parameters("never_cooked"), [])
        self.assertEqual(short_name("rethink_keras.configurables_test.boiled"), "boiled")

    def test_owners_of_a_parameter(self):
        self.assertEqual(owners("sea_salt"), ["boiled", "steamed"])
        self.assertEqual(owners("pepper"), [])
        self.assertEqual(owners("water"), [])  # gin cannot bind it

    def test_examples_are_those_of_the_fields(self):
        self.assertEqual(example("steamed", "sea_salt"), "0.25")
        for name, parameter in (
            ("steamed", "lid"),
            ("steamed", "oil"),
            ("boiled", "sea_salt"),
            ("never_cooked", "sea_salt"),
        ):
            self.assertEqual(example(name, parameter), "")


if __name__ == "__main__":
    absltest.main()
