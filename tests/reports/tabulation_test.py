import statistics

from absl.testing import absltest

from rethink_keras.reports.table_formats import to_markdown
from rethink_keras.reports.tables import NONE
from tests.reports import made_sweeps as made


class TabulationTest(made.FolderTestCase):
    def test_mean_deviation_and_difference(self):
        accuracies = (0.51, 0.53, 0.505)
        self.one_cell("table1", "mlp_1x512", "plain", accuracies)
        table = self.table()
        self.assertLen(table.rows, 19)
        row = made.row_of(table, "mlp_1x512", "plain")
        deviation = f"{100 * statistics.stdev(accuracies):.2f}"
        self.assertEqual(deviation, "1.32")
        self.assertEqual(
            made.texts(row)[:2],
            [["100.00", "99.90 ± 0.00", "−0.10", "yes"], ["50.51", "51.50 ± 1.32", "+0.99", "yes"]],
        )
        self.assertEqual(row.seeds, "3 of 3")
        self.assertEqual(made.row_of(table, "alexnet", "crop").seeds, "not in this sweep")

    def test_the_spread_ends_at_one_and_a_half_points(self):
        for accuracy, within in ((0.5201, "yes"), (0.5202, "no"), (0.4901, "yes"), (0.4900, "no")):
            with self.subTest(accuracy):
                folder, _ = self.one_cell("table1", "mlp_1x512", "plain", [accuracy])
                row = made.row_of(self.table(), "mlp_1x512", "plain")
                self.assertEqual(row.values[1].text("within"), within)
                folder.rename(folder.with_name("aside"))
                for path in sorted((self.folder / "aside").rglob("*"), reverse=True):
                    path.rmdir() if path.is_dir() else path.unlink()

    def test_what_is_not_done_does_not_count(self):
        folder, plans = self.one_cell("table1", "mlp_1x512", "plain", (0.5, 0.52))
        for name in ("running", "interrupted", "diverged"):
            plan = made.plan("mlp_1x512", "plain", len(plans))
            plans.append(plan)
            made.run(folder, plan, made.rows(2, (0.1, 0.1)), name)
        plans.append(made.plan("mlp_1x512", "plain", 9))
        (folder / "sweep.json").unlink()
        folder.rename(self.folder / "aside")
        made.sweep(folder, "table1", plans)
        for item in (self.folder / "aside").iterdir():
            item.rename(folder / item.name)
        row = made.row_of(self.table(), "mlp_1x512", "plain")
        self.assertEqual(row.values[1].text("ours"), "51.00 ± 1.41")
        self.assertEqual(row.seeds, "2 of 6")
        self.assertLen(row.remarks, 4)
        self.assertIn("mlp_1x512/plain/seed_2: running, or killed, after 2 of 4 epochs", row.remarks)

    def test_a_small_sweep_has_its_own_rows_and_is_not_judged(self):
        self.one_cell("table1", "mlp_1x512", "plain", (0.3,), size="small", train_examples=500)
        table = self.table()
        self.assertLen(table.rows, 1)
        self.assertEqual(made.texts(table.rows[0])[1], ["50.51", "30.00", NONE, NONE])
        self.assertEqual(table.name, "Table 1, small version")
        self.assertIn("the paper, at full size", to_markdown(table))
        self.assertNotIn("within", to_markdown(table))

    def test_a_full_sweep_of_fewer_examples_is_not_judged(self):
        self.one_cell("table1", "mlp_1x512", "plain", (0.5,), train_examples=500)
        row = made.row_of(self.table(), "mlp_1x512", "plain")
        self.assertEqual(row.values[1].text("within"), NONE)
        self.assertIn("Trained on cifar10 with 500 training", row.warnings[0])

    def test_running_averages_are_named(self):
        self.one_cell("table1", "mlp_1x512", "plain", (0.5,), train_metrics="running_average")
        self.assertIn("running averages", made.row_of(self.table(), "mlp_1x512", "plain").warnings[0])


if __name__ == "__main__":
    absltest.main()
