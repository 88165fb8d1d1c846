"""`kill -9` at random moments, again and again: the longest test, which starts first (see tests/conftest.py)."""

from pathlib import Path

from absl.testing import absltest

from benchmarks.kill_and_resume import kill_and_compare
from tests.training.small_runs import WITH_STATE

KILLS = 20


class KillAndResumeTest(absltest.TestCase):
    def test_kill_9_at_random_moments_changes_nothing(self):
        outcome = kill_and_compare(Path(self.create_tempdir()), WITH_STATE, KILLS)
        self.assertEqual(outcome.kills, KILLS)
        self.assertGreater(outcome.resumes, KILLS // 4)
        self.assertEqual(outcome.rows, 45)
        self.assertEmpty(outcome.differences)


if __name__ == "__main__":
    absltest.main()
