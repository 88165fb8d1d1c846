from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras.workdir.record import RunRecord
from tests.workdir import made_runs


class RecordTest(parameterized.TestCase):
    def record(self, status="done", epochs=3, **fields):
        rows = [made_runs.row(k + 1, seconds=1.5) for k in range(epochs)]
        summary = made_runs.summary(rows, status, **fields)
        return RunRecord(Path("run"), status, "", summary, tuple(rows), "")

    def test_values(self):
        record = self.record(configuration="abc")
        self.assertEqual((record.epochs, record.seconds, record.configuration), (3, 4.5, "abc"))
        self.assertTrue(record.is_training)
        self.assertEqual(record.final["test_accuracy"], 0.1)
        self.assertEqual(record.final_metrics(), "3 epochs, train 100.00%, test 10.00%")

    def test_nothing_is_there(self):
        record = RunRecord(Path("run"), "missing")
        self.assertEqual((record.epochs, record.seconds, record.configuration, record.final), (0, 0, "", {}))
        self.assertFalse(record.is_training)
        self.assertIn("missing", record.final_metrics())

    def test_rows_of_an_earlier_version_have_no_seconds(self):
        rows = [made_runs.row(1), made_runs.row(2)]
        del rows[0]["seconds"]
        self.assertEqual(RunRecord(Path("run"), "running", rows=tuple(rows)).seconds, 1.0)

    def test_an_experiment_without_training_has_no_final_metrics(self):
        record = RunRecord(Path("run"), "done", "", {"status": "done", "cpu_seconds": 1.0, "final": [1]})
        self.assertEqual(record.final, {})

    @parameterized.parameters(
        ("done", "done: 3 epochs"),
        ("interrupted", "interrupted after 3 of 69 epochs"),
        ("running", "running, or killed, after 3 of 69 epochs"),
        ("failed", "failed"),
    )
    def test_progress_in_words(self, status, words):
        self.assertEqual(self.record(status).progress(69), words)


if __name__ == "__main__":
    absltest.main()
