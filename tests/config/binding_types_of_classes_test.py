from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.errors import UserError
from rethink_keras.theory import interpolation  # noqa: F401  (registers the names below)


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
