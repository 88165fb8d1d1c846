from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.reports import runs
from tests.workdir.made_runs import row, write_run


class RunsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())
        random = {"labels": "partially_corrupted", "corruption": 0.5, "pixels": "true"}
        write_run(self.folder / "a", "done", [row(1, 0.8), row(2, 1.0)], seed=3)
        write_run(self.folder / "b", "running", [row(1, 0.3)], randomization=random)
        (self.folder / "c").mkdir()
        (self.folder / "c" / "summary.json").write_text("{")

    def names(self, table):
        return [row["run"] for row in table]

    def test_rows(self):
        time = (self.folder / "a" / "summary.json").stat().st_mtime + 60
        first, second, third = runs.rows(self.folder, now=time)
        self.assertEqual(set(first), set(runs.COLUMNS))
        self.assertEqual(
            (first["status"], first["seed"], first["epoch"], first["train_accuracy"]), ("done", 3, 2, 1.0)
        )
        self.assertEqual((first["epochs_to_fit"], first["age"]), (2, 60.0))
        self.assertEqual(second["configuration"], "mlp, digits, partially_corrupted 0.5 labels")
        self.assertEqual((third["status"], third["seed"], third["configuration"]), ("damaged", None, ""))

    @parameterized.parameters(
        ("status=done", ["a"]),
        ("status!=done", ["b", "c"]),
        ("train_accuracy<0.5", ["b"]),
        ("run~b", ["b"]),
        ("seed!=3", ["b", "c"]),
    )
    def test_filters(self, text, names):
        self.assertEqual(self.names(runs.selected(runs.rows(self.folder), [text])), names)

    @parameterized.parameters(
        ("statsu=done", "'status'"), ("done", "operator|column"), ("epoch>many", "number")
    )
    def test_a_filter_that_is_not_understood(self, text, words):
        with self.assertRaisesRegex(UserError, words):
            runs.selected(runs.rows(self.folder), [text])

    def test_rows_without_a_value_come_last(self):
        table = runs.rows(self.folder)
        self.assertEqual(self.names(runs.ordered(table, "train_accuracy")), ["b", "a", "c"])
        self.assertEqual(self.names(runs.ordered(table, "-train_accuracy")), ["a", "b", "c"])
        with self.assertRaisesRegex(UserError, "moons"):
            runs.ordered(table, "moons")

    def test_no_runs(self):
        with self.assertRaisesRegex(UserError, "--workdir"):
            runs.rows(self.folder / "none")


if __name__ == "__main__":
    absltest.main()
