import gin
from absl.testing import absltest

from rethink_keras.workdir.configuration import bindings_of, difference


@gin.configurable("made_for_configuration_test")
def made(few=1, many=(), words=""):
    return few, many, words


THERE = """# Parameters for train:
# ==============================================================================
train.epochs = 3
train.schedule = @steps

# Parameters for steps:
# ==============================================================================
steps.after = \\
    (10,
     20)
"""


class ConfigurationTest(absltest.TestCase):
    def test_values_on_several_lines(self):
        self.assertEqual(
            bindings_of(THERE), {"train.epochs": "3", "train.schedule": "@steps", "steps.after": "(10, 20)"}
        )

    def test_what_gin_writes(self):
        with gin.unlock_config():
            gin.bind_parameter("made_for_configuration_test.many", tuple(range(60)))
            gin.bind_parameter("made_for_configuration_test.words", "a = b\n# c" * 20)
        self.addCleanup(gin.clear_config)
        found = bindings_of(gin.config_str())
        self.assertEqual(eval(found["made_for_configuration_test.many"]), tuple(range(60)))
        self.assertEqual(eval(found["made_for_configuration_test.words"]), "a = b\n# c" * 20)

    def test_comments_order_and_line_breaks_are_no_difference(self):
        self.assertEqual(
            difference(THERE, "steps.after = (10, 20)\ntrain.schedule=@steps\ntrain.epochs = 3"), ""
        )

    def test_another_value(self):
        lines = difference(THERE, THERE.replace("20)", "30)")).splitlines()
        self.assertIn("-steps.after = (10, 20)", lines)
        self.assertIn("+steps.after = (10, 30)", lines)
        self.assertNotIn("train.epochs", "\n".join(lines))

    def test_a_parameter_of_a_later_version_with_its_default(self):
        later = f"{THERE}\n# Parameters for confusion:\nconfusion.every_epochs = 1\n"
        self.assertEqual(difference(THERE, later, {"confusion.every_epochs"}), "")
        self.assertIn("+confusion.every_epochs = 1", difference(THERE, later))

    def test_a_default_that_the_run_had_bound_is_a_difference(self):
        asked = THERE.replace("epochs = 3", "epochs = 9")
        self.assertIn("-train.epochs = 3", difference(THERE, asked, {"train.epochs"}))

    def test_a_parameter_that_is_gone_is_a_difference(self):
        self.assertIn("-train.moons = 1", difference(f"{THERE}train.moons = 1\n", THERE))

    def test_difference_is_printable(self):
        self.assertNotIn("\x1b", difference("train.x = '\x1b'\n", THERE))


if __name__ == "__main__":
    absltest.main()
