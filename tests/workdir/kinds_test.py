from absl.testing import absltest, parameterized

from rethink_keras.workdir.kinds import MOST_INTEGER, is_count, is_number, is_share, is_text


class KindsTest(parameterized.TestCase):
    @parameterized.parameters(
        (0, "count number share"),
        (7, "count number"),
        (MOST_INTEGER + 1, "number"),
        (-1, "number"),
        (0.5, "number share"),
        (1 + 1e-7, "number share"),  # A mean of ones in float32.
        (1.01, "number"),
        (1e308, ""),
        (10**400, ""),
        (float("nan"), ""),
        (True, ""),
        (None, ""),
        ("0", "text"),
        ([], ""),
    )
    def test_kinds_of_a_value(self, value, expected):
        checks = {"count": is_count, "number": is_number, "share": is_share, "text": is_text}
        self.assertEqual([name for name, check in checks.items() if check(value)], expected.split())


if __name__ == "__main__":
    absltest.main()
