"""A few hundred of the cases of `python -m tests.fuzz`."""

from absl.testing import absltest, parameterized

from tests.fuzz import cases

CASES = (
    ("report", 8),
    ("runs", 60),
    ("train --verify", 60),
    ("sweep", 20),
    ("tune", 10),
    ("gin files", 80),
    ("data", 30),
)


class FuzzTest(parameterized.TestCase):
    @parameterized.parameters(*CASES)
    def test_hostile_content_is_a_sentence_and_a_documented_code(self, command, count):
        for number in range(count):
            with self.subTest(f"{command} {number}"):
                cases.run_case(command, number)


if __name__ == "__main__":
    absltest.main()
