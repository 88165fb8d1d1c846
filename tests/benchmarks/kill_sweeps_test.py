import sys
from pathlib import Path
from unittest import mock

from absl.testing import absltest

from benchmarks import kill_sweeps


@absltest.skipUnless(sys.platform == "linux", "only Linux tells a process that its parent died")
class KillSweepsTest(absltest.TestCase):
    def test_killed_sweeps_leave_runs_that_save_and_resume(self):
        with mock.patch.dict(kill_sweeps.LONGEST_SECONDS, stub=0.2):
            outcome = kill_sweeps.kill_and_check(Path(self.create_tempdir()), "stub", kills=3)
        self.assertEqual((outcome.kills, outcome.faults), (3, []))
        self.assertGreater(outcome.resumes, 0)


if __name__ == "__main__":
    absltest.main()
