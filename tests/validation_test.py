import math

from absl.testing import absltest, parameterized

from rethink_keras import validation
from rethink_keras.errors import UserError

NO_NUMBERS = (None, "1", True, math.nan, [1])


class ValidationTest(parameterized.TestCase):
    @parameterized.parameters(
        ("check_int", (2, 4), (2, 3, 4), (1, 5, 2.0, 10**400), ("2", "4")),
        ("check_number", (0.5, 2), (0.5, 1, 2), (0.4, 3, math.inf, 10**400), ("0.5", "2")),
        ("check_positive_fraction", (), (1e-9, 0.5, 1), (0, 1.5, -0.1), ("above 0", "1")),
        ("check_fraction", (), (0, 0.5, 1 - 1e-9), (1, -0.1), ("0", "below 1")),
        ("check_seed", (), (0, 1, 2**32 - 1), (-1, 2**32, 0.5), ("0", str(2**32 - 1))),
        ("check_choice", (("auto", 1),), ("auto", 1), ("", 2), ("'auto'", "1")),
    )
    def test_what_is_accepted_and_what_is_refused_by_name(self, name, limits, accepted, refused, remedy):
        check = getattr(validation, name)
        for value in accepted:
            check("train.value", value, *limits)
        no_numbers = NO_NUMBERS if name != "check_choice" else (None, [1])
        for value in (*refused, *no_numbers):
            with self.subTest(repr(value)[:20]), self.assertRaises(UserError) as caught:
                check("train.value", value, *limits)
            self.assertStartsWith(caught.exception.sentence, "train.value is ")
            for word in remedy:
                self.assertIn(word, caught.exception.sentence)

    def test_functions_by_the_arguments_that_they_take(self):
        def schedule(rate, epochs=1):
            return rate, epochs

        validation.check_call("train.schedule", schedule, 0.1, epochs=3)
        for arguments, options in (((), {}), ((0.1,), {"steps": 3}), ((1, 2, 3), {})):
            with self.assertRaisesRegex(UserError, "train.schedule is schedule.*gin files"):
                validation.check_call("train.schedule", schedule, *arguments, **options)


if __name__ == "__main__":
    absltest.main()
