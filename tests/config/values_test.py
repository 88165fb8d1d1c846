import gin
from absl.testing import absltest, parameterized

from rethink_keras import config


@gin.configurable(module="values_test")
def cooked(minutes=3, name="egg", inner=None, salt=0.5):
    return minutes, name, inner, salt


@gin.configurable(module="values_test")
def stove():
    return "hot"


class TextTest(absltest.TestCase):
    def test_resolved_is_what_was_parsed(self):
        config.parse([], ["cooked.minutes = 7"])
        self.assertEqual(config.resolved().splitlines()[-1], "cooked.minutes = 7")

    def test_operative_has_defaults_too_and_can_be_parsed_again(self):
        config.parse([], ["cooked.minutes = 7"])
        self.assertNotIn("cooked", config.operative())
        cooked()
        text = config.operative()
        self.assertIn("cooked.name = 'egg'", text)
        config.parse([], [text])
        self.assertEqual(config.bound("cooked.salt", None), 0.5)

    def test_fingerprint_stays_as_it_was_and_tells_configurations_apart(self):
        config.parse([], ["cooked.minutes = 7"])
        self.assertEqual(
            config.fingerprint(), "32b5fa80edd407eafdff45c90673103638cad79981f6ff1fea4e1a7f8247e09e"
        )
        config.parse([], ["cooked.minutes = 8"])
        self.assertNotEqual(
            config.fingerprint(), "32b5fa80edd407eafdff45c90673103638cad79981f6ff1fea4e1a7f8247e09e"
        )


class BoundTest(absltest.TestCase):
    def test_value_or_otherwise(self):
        config.parse([], ["cooked.minutes = %TIME", "TIME = %OTHER", "OTHER = 4"])
        self.assertEqual(config.bound("cooked.minutes", 1), 4)
        self.assertEqual(config.bound("cooked.name", "none"), "none")


class UnusedTest(absltest.TestCase):
    def test_names_that_no_call_used(self):
        config.parse([], ["cooked.minutes = %TIME", "TIME = 4", "cooked.name = 'rice'"])
        self.assertCountEqual(config.unused(), ["cooked.minutes", "cooked.name"])
        cooked(minutes=1)
        self.assertEqual(config.unused(), ["cooked.minutes"])


class DefaultsTest(absltest.TestCase):
    def test_operative_names_that_are_not_bound(self):
        config.parse([], ["cooked.minutes = 7"])
        self.assertEqual(config.defaults(), set())
        cooked()
        self.assertEqual(config.defaults(), {"cooked.name", "cooked.inner", "cooked.salt"})

    def test_a_binding_outside_of_a_scope_holds_inside(self):
        config.parse([], ["cooked.minutes = 7", "a/cooked.name = 'rice'"])
        with gin.config_scope("a"):
            cooked()
        self.assertEqual(config.defaults(), {"a/cooked.inner", "a/cooked.salt"})

    def test_a_macro_is_no_default(self):
        config.parse([], ["cooked.minutes = %TIME", "TIME = 7"])
        cooked()
        self.assertNotIn("cooked.minutes", config.defaults())
        self.assertIn("TIME = 7", config.operative())


class OperativeValuesTest(parameterized.TestCase):
    def test_bound_values_that_were_used(self):
        config.parse([], ["cooked.inner = @stove", "cooked.name = %NAME", "NAME = 'rice'"])
        cooked()
        self.assertEqual(config.operative_values(), {"cooked.inner": "stove", "cooked.name": "rice"})

    def test_always_and_never(self):
        config.parse([], ["cooked.name = 'rice'", "cooked.salt = 1.5"])
        cooked()
        values = config.operative_values(always=["cooked.minutes", "cooked.inner"], never=["cooked.name"])
        self.assertEqual(values, {"cooked.minutes": 3, "cooked.salt": 1.5})  # None is left out
        self.assertEqual(config.operative_values(always=["cooked.minutes"], never=["cooked"]), {})

    def test_other_values_are_text_and_scopes_are_named(self):
        config.parse([], ["a/cooked.inner = (1, 2)"])
        with gin.config_scope("a"):
            cooked()
        self.assertEqual(config.operative_values(), {"a/cooked.inner": "(1, 2)"})


if __name__ == "__main__":
    absltest.main()
