from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras.errors import DamagedError
from rethink_keras.experiments.searches.objectives import metrics_after, score
from rethink_keras.workdir.workdir import Workdir
from tests.workdir.made_runs import row, write_run


class ObjectivesTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())
        accuracies = (0.5, 0.92, 0.96, 0.99)
        write_run(self.folder, "done", [row(k, a, seconds=2.0) for k, a in enumerate(accuracies, 1)])

    def metrics_after(self, until):
        return metrics_after(Workdir(self.folder).read(), until)

    def test_metrics_after_an_epoch(self):
        found = self.metrics_after(3)
        self.assertEqual((found["epochs"], found["train_accuracy"], found["seconds"]), (3, 0.96, 6.0))
        self.assertEqual((found["epochs_to_fit"], found["epochs_to_accuracy"]), (3, 2))

    def test_later_epochs_do_not_count(self):
        found = self.metrics_after(1)
        self.assertEqual((found["epochs_to_fit"], found["epochs_to_accuracy"]), (None, None))
        self.assertEqual(self.metrics_after(99)["epochs"], 4)

    @parameterized.parameters("metrics.csv", "summary.json")
    def test_a_file_that_is_missing_or_damaged(self, name):
        (self.folder / name).write_text("{")
        with self.assertRaisesRegex(DamagedError, name):
            self.metrics_after(3)
        (self.folder / name).unlink()
        with self.assertRaisesRegex(DamagedError, name):
            self.metrics_after(3)

    def test_no_epoch(self):
        with self.assertRaises(DamagedError):
            self.metrics_after(0)

    def test_runs_that_fit_come_before_those_that_do_not(self):
        scores = [
            score("epochs_to_fit", {"epochs_to_fit": epoch, "train_accuracy": accuracy}, epochs=10)
            for epoch, accuracy in ((3, 1.0), (10, 0.99), (None, 0.9), (None, 0.5))
        ]
        self.assertEqual(scores, sorted(scores))
        self.assertEqual(score("test_accuracy", {"test_accuracy": 0.7}, epochs=10), 0.7)


if __name__ == "__main__":
    absltest.main()
