"""`kill -9` at random moments, again and again: the longest test, begun first (see tests/conftest.py)."""

from absl.testing import absltest

from benchmarks.kill_and_resume import kill_and_compare
from tests.training.small_runs import WITH_STATE, new_folder

KILLS = 20


class KillTest(absltest.TestCase):
    def test_kill_9_at_random_moments_changes_nothing(self):
        with new_folder() as folder:
            outcome = kill_and_compare(folder, WITH_STATE, KILLS)
        self.assertEqual(outcome.kills, KILLS)
        self.assertGreater(outcome.resumes, KILLS // 4)
        self.assertEqual(outcome.rows, 45)
        self.assertEmpty(outcome.differences)


if __name__ == "__main__":
    absltest.main()
