from absl.testing import absltest

from tests.reports import made_sweeps as made


class Table2Test(made.FolderTestCase):
    def test_table_2_has_top_5_and_brackets(self):
        plan = made.plan("inception_v3", "weight_decay")
        folder = made.sweep(self.folder / "table2", "table2", [plan])
        rows = made.rows(4, lambda epoch: (0.906, 0.72 if epoch == 2 else 0.67))
        for row in rows:
            row |= {"train_top5_accuracy": 1.0, "test_top5_accuracy": 0.91 if row["epoch"] == 3 else 0.86}
        made.run(folder, plan, rows, dataset="imagenet2012", train_examples=1_281_167, test_examples=50_000)
        row = made.row_of(self.table(), "inception_v3", "weight_decay")
        self.assertEqual(
            [value.text("paper") for value in row.values],
            ["90.60", "100.00", "67.18", "86.44", "72.57", "91.31"],
        )
        self.assertEqual(
            [value.text("ours") for value in row.values],
            ["90.60", "100.00", "67.00", "86.00", "72.00", "91.00"],
        )
        self.assertEqual({value.text("within") for value in row.values}, {"yes"})


if __name__ == "__main__":
    absltest.main()
