from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.experiments.searches import results
from tests.experiments.searches.chief_test import Scene


class ResultsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.addCleanup(config.clear)
        self.folder = Path(self.create_tempdir())
        self.scene = Scene(self.folder, "search.title = 'A [/title]\\nimport os'", "search.trials = 2")
        self.scene.all()

    def table(self):
        return results.rows(self.scene.plan, self.scene.chief.trials, self.folder)

    @parameterized.parameters(
        ("metrics.csv", b""),
        ("metrics.csv", b"epoch,train_loss\n1"),
        ("metrics.csv", b"epoch\n1\n"),
        ("metrics.csv", b"\xff\xfe"),
        ("summary.json", b"{"),
        ("summary.json", b"[" * 100_000),
        ("summary.json", b'{"fit_loss": [], "fit_accuracy": 1}'),
        ("summary.json", None),
    )
    def test_a_torn_file_of_a_done_trial_is_told_in_its_row(self, name, content):
        best = self.table()[0]
        path = self.folder / best["workdir"] / name
        path.unlink() if content is None else path.write_bytes(content)
        table = self.table()
        self.assertEqual([row["status"] for row in table], ["done", "damaged"])
        self.assertEqual(table[1]["trial"], best["trial"])
        self.assertIn(name, table[1]["failure"])
        results.write(self.scene.plan, table, self.folder, ["search.gin"], [])
        self.assertIn("damaged", (self.folder / results.CSV).read_text())

    def test_what_the_search_is_called_is_no_code(self):
        best = next(iter(self.table()))
        results.write(self.scene.plan, [best], self.folder, ["search.gin"], [])
        self.assertNotIn("\nimport os", (self.folder / results.BEST).read_text())
        self.assertNotIn("\nimport os", (self.folder / results.MARKDOWN).read_text())


if __name__ == "__main__":
    absltest.main()
