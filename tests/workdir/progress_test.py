import json

from absl.testing import absltest, parameterized

from rethink_keras.workdir.progress import Progress, configuration_of, final_metrics, progress_of
from tests.experiments.progress_test import write_run
from tests.training.small_runs import new_folder

HOSTILE = (
    "",
    "{",
    "[]",
    '"done"',
    "[" * 100_000,
    '{"status": ["done"]}',
    '{"status": {"done": 1}}',
    '{"status": "\\ud800"}',
    '{"status": "done", "epochs": ' + "9" * 5000 + "}",
)


class WorkdirsTest(parameterized.TestCase):
    def test_reads_how_far_a_run_has_come(self):
        with new_folder() as folder:
            self.assertEqual(progress_of(folder / "none"), Progress("missing", 0, 0.0))
            write_run(folder, "running", 3, 1.5)
            self.assertEqual(progress_of(folder), Progress("running", 3, 4.5))

    @parameterized.parameters(*HOSTILE)
    def test_a_summary_that_is_none(self, text):
        with new_folder() as folder:
            write_run(folder, "done", 3)
            (folder / "summary.json").write_text(text)
            self.assertEqual(progress_of(folder).status, "damaged")
            self.assertIsInstance(configuration_of(folder), str)
            self.assertIn("summary.json", final_metrics(folder))

    @parameterized.parameters(
        "epoch,seconds\n1\n",
        "epoch,seconds\n1,2,3\n",
        "epoch,seconds\n1,nan\n",
        "epoch,seconds\n-1,1\n",
        "epoch,seconds\n" + "9" * 400 + ",1\n",
        "epoch,seconds\n1," + "9" * 200_000 + "\n",
        "epoch\n1\n",
        "\0",
    )
    def test_metrics_that_are_none(self, text):
        with new_folder() as folder:
            write_run(folder, "done", 3)
            (folder / "metrics.csv").write_text(text)
            self.assertNotEqual(progress_of(folder), Progress("done", 3, 90.0))
            self.assertEqual(progress_of(folder).epochs, 0)

    def test_files_that_are_folders(self):
        with new_folder() as folder:
            (folder / "summary.json").mkdir()
            self.assertEqual(progress_of(folder).status, "damaged")

    def test_final_metrics_are_said(self):
        with new_folder() as folder:
            write_run(folder, "done", 3)
            self.assertEqual(final_metrics(folder), "3 epochs, train 100.00%, test 10.00%")
            (folder / "summary.json").write_text(json.dumps({"final": {"train_accuracy": "x"}}))
            self.assertIn("cannot be read", final_metrics(folder))


if __name__ == "__main__":
    absltest.main()
