import csv
import io

from absl.testing import absltest

from rethink_keras.reports.table_formats import to_csv, to_markdown
from tests.reports import made_sweeps as made


class TableFormatsTest(made.FolderTestCase):
    def test_markdown_and_csv_say_the_same(self):
        folder, plans = self.one_cell("table1", "mlp_1x512", "plain", (0.5, 0.52))
        made.write_metrics(folder / plans[0].name, made.rows(4, (0.999, 0.5)))
        summary = folder / plans[0].name / "summary.json"
        summary.write_text(summary.read_text().replace("0123456789ab", "fedcba987654"))
        table = self.table()
        markdown = to_markdown(table)
        self.assertIn(
            "| MLP 1×512 | true | no | no | 100.00 | 99.90 ± 0.00 | −0.10 | yes | 50.51 | 51.00 ± 1.41 | +0.49 | yes "
            "| 51.00 ± 1.41 | 2 of 2 [1] |",
            markdown,
        )
        self.assertRegex(
            markdown, r"\[1\]\*\* MLP 1×512, true, no, no: The runs differ in their code version"
        )
        self.assertEqual({line.count(" | ") for line in markdown.splitlines()[:21]}, {13})
        rows = list(csv.DictReader(io.StringIO(to_csv(table))))
        self.assertLen(rows, 19)
        row = next(row for row in rows if (row["network"], row["variant"]) == ("mlp_1x512", "plain"))
        self.assertEqual(
            [
                row[f"test_accuracy_{kind}"]
                for kind in ("paper", "ours", "deviation", "difference", "within_spread")
            ],
            ["50.51", "51", "1.41421", "0.49", "yes"],
        )
        self.assertEqual((row["seeds_counted"], row["seeds_planned"]), ("2", "2"))
        self.assertIn("code version", row["warnings"])
        self.assertEqual(rows[0]["test_accuracy_ours"], "")


if __name__ == "__main__":
    absltest.main()
