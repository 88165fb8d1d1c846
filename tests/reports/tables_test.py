import csv
import io
import statistics

from absl.testing import absltest

from rethink_keras.reports import paper_results, tables
from rethink_keras.reports.collect import collect
from tests.reports import made_sweeps as made


class TablesTest(made.FolderTestCase):
    def table(self, paper_result):
        sweep = collect(self.folder).sweeps[0]
        return tables.build(sweep, paper_results.of(paper_result))

    def row(self, table, network, variant):
        return next(row for row in table.rows if (row.network, row.variant) == (network, variant))

    def texts(self, row):
        return [[value.text(kind) for kind in tables.KINDS] for value in row.values]

    def runs(self, paper_result, network, variant, accuracies, size="full", **changes):
        """A sweep of one cell, a run an accuracy of the test set."""
        plans = [made.plan(network, variant, seed) for seed in range(len(accuracies))]
        folder = made.sweep(self.folder / paper_result, paper_result, plans, size)
        for plan, accuracy in zip(plans, accuracies, strict=True):
            made.run(folder, plan, made.rows(4, (0.999, accuracy)), **changes)
        return folder, plans

    def test_mean_deviation_and_difference(self):
        accuracies = (0.51, 0.53, 0.505)
        self.runs("table1", "mlp_1x512", "plain", accuracies)
        table = self.table("table1")
        self.assertLen(table.rows, 19)
        row = self.row(table, "mlp_1x512", "plain")
        deviation = f"{100 * statistics.stdev(accuracies):.2f}"
        self.assertEqual(deviation, "1.32")
        self.assertEqual(
            self.texts(row)[:2],
            [["100.00", "99.90 ± 0.00", "−0.10", "yes"], ["50.51", "51.50 ± 1.32", "+0.99", "yes"]],
        )
        self.assertEqual(row.seeds, "3 of 3")
        self.assertEqual(self.row(table, "alexnet", "crop").seeds, "not in this sweep")

    def test_the_spread_ends_at_one_and_a_half_points(self):
        for accuracy, within in ((0.5201, "yes"), (0.5202, "no"), (0.4901, "yes"), (0.4900, "no")):
            with self.subTest(accuracy):
                folder, _ = self.runs("table1", "mlp_1x512", "plain", [accuracy])
                row = self.row(self.table("table1"), "mlp_1x512", "plain")
                self.assertEqual(row.values[1].text("within"), within)
                folder.rename(folder.with_name("aside"))
                for path in sorted((self.folder / "aside").rglob("*"), reverse=True):
                    path.rmdir() if path.is_dir() else path.unlink()

    def test_what_is_not_done_does_not_count(self):
        folder, plans = self.runs("table1", "mlp_1x512", "plain", (0.5, 0.52))
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
        row = self.row(self.table("table1"), "mlp_1x512", "plain")
        self.assertEqual(row.values[1].text("ours"), "51.00 ± 1.41")
        self.assertEqual(row.seeds, "2 of 6")
        self.assertLen(row.remarks, 4)
        self.assertIn("mlp_1x512/plain/seed_2: running, or killed, after 2 of 4 epochs", row.remarks)

    def test_best_on_the_way_is_not_the_final_one(self):
        plan = made.plan("mlp_1x512", "plain")
        folder = made.sweep(self.folder / "a", "table1", [plan])
        made.run(folder, plan, made.rows(4, lambda epoch: (1.0, 0.6 if epoch == 2 else 0.5)))
        row = self.row(self.table("table1"), "mlp_1x512", "plain")
        self.assertEqual([value.text("ours") for value in row.values], ["100.00", "50.00", "60.00"])

    def test_a_small_sweep_has_its_own_rows_and_is_not_judged(self):
        self.runs("table1", "mlp_1x512", "plain", (0.3,), size="small", train_examples=500)
        table = self.table("table1")
        self.assertLen(table.rows, 1)
        self.assertEqual(self.texts(table.rows[0])[1], ["50.51", "30.00", tables.NONE, tables.NONE])
        self.assertEqual(table.name, "Table 1, small version")
        self.assertIn("the paper, at full size", tables.to_markdown(table))
        self.assertNotIn("within", tables.to_markdown(table))

    def test_a_full_sweep_of_fewer_examples_is_not_judged(self):
        self.runs("table1", "mlp_1x512", "plain", (0.5,), train_examples=500)
        row = self.row(self.table("table1"), "mlp_1x512", "plain")
        self.assertEqual(row.values[1].text("within"), tables.NONE)
        self.assertIn("Trained on cifar10 with 500 training", row.warnings[0])

    def test_running_averages_are_named(self):
        self.runs("table1", "mlp_1x512", "plain", (0.5,), train_metrics="running_average")
        self.assertIn("running averages", self.row(self.table("table1"), "mlp_1x512", "plain").warnings[0])

    def test_augmented_rows_of_table_4_are_running_accuracies(self):
        plans = [
            made.plan("inception", f"random_labels+{kind}")
            for kind in ("weight_decay", "crop", "flip_rotate")
        ]
        folder = made.sweep(self.folder / "table4", "table4", plans)
        for plan in plans:
            made.run(folder, plan, made.rows(4, (0.999, 0.1)))
        table = self.table("table4")
        ours = [self.row(table, "inception", plan.variant).values[0].text("ours") for plan in plans]
        self.assertEqual(ours, ["99.90", "98.90", "98.90"])
        alexnet = self.row(table, "alexnet", "random_labels+weight_decay").values[0]
        self.assertEqual((alexnet.text("paper"), alexnet.text("within")), ("failed to converge", tables.NONE))

    def test_table_2_has_top_5_and_brackets(self):
        plan = made.plan("inception_v3", "weight_decay")
        folder = made.sweep(self.folder / "table2", "table2", [plan])
        rows = made.rows(4, lambda epoch: (0.906, 0.72 if epoch == 2 else 0.67))
        for row in rows:
            row |= {"train_top5_accuracy": 1.0, "test_top5_accuracy": 0.91 if row["epoch"] == 3 else 0.86}
        made.run(folder, plan, rows, dataset="imagenet2012", train_examples=1_281_167, test_examples=50_000)
        row = self.row(self.table("table2"), "inception_v3", "weight_decay")
        self.assertEqual(
            [value.text("paper") for value in row.values],
            ["90.60", "100.00", "67.18", "86.44", "72.57", "91.31"],
        )
        self.assertEqual(
            [value.text("ours") for value in row.values],
            ["90.60", "100.00", "67.00", "86.00", "72.00", "91.00"],
        )
        self.assertEqual({value.text("within") for value in row.values}, {"yes"})

    def test_fitting_times_are_relative_to_no_corruption(self):
        fits = {
            ("0.0", 0): 10,
            ("0.0", 1): 20,
            ("0.5", 0): 30,
            ("0.5", 1): 30,
            ("1.0", 0): None,
            ("1.0", 1): 40,
        }
        plans = {key: made.plan("mlp_1x512", f"corruption_{key[0]}", key[1], 50) for key in fits}
        folder = made.sweep(self.folder / "figure", "figure1b_1c", list(plans.values()))
        for key, fit in fits.items():
            rows = made.rows(50, lambda epoch, fit=fit: (1.0, 0.4 if epoch == fit else 0.2), fit=fit)
            made.run(folder, plans[key], rows)
        table = self.table("figure1b_1c")
        self.assertEqual(
            [self.texts(self.row(table, "mlp_1x512", f"corruption_{p}")) for p in ("0.0", "0.5", "1.0")],
            [
                [
                    ["28.0", "15.0 ± 7.1", "−13.0", tables.NONE],
                    ["1.00", "1.00 ± 0.47", "0.00", tables.NONE],
                    ["49.51", "60.00 ± 0.00", "+10.49", "no"],
                ],
                [
                    ["50.0", "30.0 ± 0.0", "−20.0", tables.NONE],
                    ["1.79", "2.00 ± 0.00", "+0.21", tables.NONE],
                    ["79.61", "60.00 ± 0.00", "−19.61", "no"],
                ],
                [
                    ["55.0", "not fitted by 1 of 2", tables.NONE, tables.NONE],
                    ["1.96", "not fitted by 1 of 2", tables.NONE, tables.NONE],
                    ["89.82", "not fitted by 1 of 2", tables.NONE, tables.NONE],
                ],
            ],
        )

    def test_markdown_and_csv_say_the_same(self):
        folder, plans = self.runs("table1", "mlp_1x512", "plain", (0.5, 0.52))
        made.write_metrics(folder / plans[0].name, made.rows(4, (0.999, 0.5)))
        summary = folder / plans[0].name / "summary.json"
        summary.write_text(summary.read_text().replace("0123456789ab", "fedcba987654"))
        table = self.table("table1")
        markdown = tables.to_markdown(table)
        self.assertIn(
            "| MLP 1×512 | true | no | no | 100.00 | 99.90 ± 0.00 | −0.10 | yes | 50.51 | 51.00 ± 1.41 | +0.49 | yes "
            "| 51.00 ± 1.41 | 2 of 2 [1] |",
            markdown,
        )
        self.assertRegex(
            markdown, r"\[1\]\*\* MLP 1×512, true, no, no: The runs differ in their code version"
        )
        self.assertEqual({line.count(" | ") for line in markdown.splitlines()[:21]}, {13})
        rows = list(csv.DictReader(io.StringIO(tables.to_csv(table))))
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
