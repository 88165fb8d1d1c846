from pathlib import Path

from absl.testing import absltest

from rethink_keras.experiments.display import DONE, FAILED, LEFT, RUNNING
from rethink_keras.experiments.searches.progress import line, progress_of_trials
from tests.experiments.searches.chief_test import Scene
from tests.workdir import made_runs


class ProgressTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())

    def test_trials_of_all_kinds(self):
        scene = Scene(self.folder, "search.trials = 4")
        for failed in (False, True):
            scene.end(scene.chief.create_trial("w"), failed)
        begun = scene.chief.create_trial("w")
        workdir = self.folder / scene.plan.run(begun).name
        made_runs.write_run(workdir, "running", [made_runs.row(1, seconds=2.0)])
        found = progress_of_trials(scene.plan, self.folder, scene.chief.trials)
        self.assertEqual([one.status for one in found], [DONE, FAILED, RUNNING, LEFT])
        self.assertEqual([one.cost for one in found], [3] * 4)
        self.assertEqual((found[2].spent, found[2].seconds), (1, 2.0))

    def test_a_trial_that_resumes_another_counts_its_own_epochs_alone(self):
        scene = Scene(self.folder, "search.algorithm = @hyperband")
        scene.all()
        found = progress_of_trials(scene.plan, self.folder, scene.chief.trials)
        self.assertEqual([one.cost for one in found], [1, 1, 1, 2, 3, 3])

    def test_lines(self):
        scene = Scene(self.folder)
        for failed in (False, True):
            scene.end(scene.chief.create_trial("w"), failed)
        done, failed = scene.chief.trials
        self.assertRegex(
            line(scene.plan, self.folder, done), r"^trial 0000: 3 epochs, 6 s, train .*%, test 10.00%"
        )
        self.assertIn("train.optimizer = @", line(scene.plan, self.folder, done))
        self.assertStartsWith(line(scene.plan, self.folder, failed), "trial 0001: failed: ")
        (self.folder / scene.plan.run(done).name / "metrics.csv").unlink()
        self.assertStartsWith(line(scene.plan, self.folder, done), "trial 0000: done, but ")


if __name__ == "__main__":
    absltest.main()
