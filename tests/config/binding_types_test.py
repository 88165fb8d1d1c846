import dataclasses
from collections.abc import Mapping, Sequence
from typing import Protocol

import gin
from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.config import binding_types, gin_private
from rethink_keras.errors import UserError
from rethink_keras.theory import interpolation  # noqa: F401  (registers the solvers)

MODULE = "rethink_keras.binding_types_test"


class Stove(Protocol):
    def __call__(self, minutes: int) -> str: ...


@gin.configurable("pot", module=MODULE)
@dataclasses.dataclass(frozen=True)
class Pot:
    litres: float = 1.0


@gin.configurable("meal", module=MODULE)
@dataclasses.dataclass(frozen=True)
class Meal:
    guests: int = 1
    salt: float | None = None
    name: str = "soup"
    hot: bool = True
    stove: Stove | None = None
    pots: Sequence[Pot] = ()
    sizes: tuple[int, ...] = ()
    shares: Mapping[str, float] = dataclasses.field(default_factory=dict)


for configurable in (Pot, Meal):
    configurable.__module__ = MODULE  # only this package's own parameters are checked


@gin.configurable(module=MODULE)
def gas(minutes):
    return f"{minutes} on gas"


class BindingTypesTest(parameterized.TestCase):
    @parameterized.parameters(
        "guests = 3",
        "salt = 1",
        "salt = 0.5",
        "salt = None",
        "name = 'stew'",
        "hot = False",
        "stove = @gas",
        "pots = [@pot(), @big/pot()]",
        "sizes = (1, 2)",
        "shares = {'a': 0.5}",
    )
    def test_what_fits(self, binding):
        config.parse([], [f"meal.{binding}"])
        Meal()

    @parameterized.parameters(
        ("guests = 3.5", "a whole number"),
        ("guests = True", "a whole number"),
        ("salt = 'much'", "a number or None"),
        ("name = 3", "a word in quotes"),
        ("hot = 1", "True or False"),
        ("stove = @gas()", "brackets"),
        ("stove = 'gas'", "@name"),
        ("guests = @gas", "a whole number"),
        ("pots = [@gas()]", ""),
        ("pots = [@pot]", ""),
        ("sizes = (1, 'two')", "(1, 2)"),
        ("shares = {'a': 'half'}", ""),
    )
    def test_what_does_not_fit_is_refused_with_the_type(self, binding, remedy):
        with self.assertRaises(UserError) as caught:
            config.parse([], [f"meal.{binding}"])
        self.assertIn(f"meal.{binding.split()[0]} is ", caught.exception.sentence)
        self.assertIn(remedy, caught.exception.sentence)

    def test_a_macro_stands_for_its_value(self):
        config.parse([], ["meal.guests = %MANY", "MANY = %OTHER", "OTHER = 9"])
        value = gin_private.bindings()["", f"{MODULE}.meal"]["guests"]
        self.assertEqual(binding_types.resolve_macro(value), 9)
        self.assertEqual(binding_types.resolve_macro(9), 9)
        with self.assertRaisesRegex(UserError, "meal.guests is 'nine'"):
            config.parse([], ["meal.guests = %MANY", "MANY = 'nine'"])


class ClassesTest(parameterized.TestCase):
    def test_a_subclass_fits(self):
        config.parse([], ["interpolation.solver = @iterative"])

    @parameterized.parameters(
        ("@gaussian", "the name of a Solver, such as @direct"),
        ("@interpolation", "the name of a Solver"),
        ("@direct()", "brackets"),
        ("'direct'", "the name of a Solver"),
    )
    def test_another_value_is_an_error_that_names_what_fits(self, value, message):
        with self.assertRaisesRegex(UserError, f"interpolation.solver is .*{message}"):
            config.parse([], [f"interpolation.solver = {value}"])


if __name__ == "__main__":
    absltest.main()
