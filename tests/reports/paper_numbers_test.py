from absl.testing import absltest

from rethink_keras.reports import paper_numbers


class PaperNumbersTest(absltest.TestCase):
    def test_tables_have_the_papers_rows(self):
        table1 = paper_numbers.of_table("table1").rows
        self.assertLen(table1, 19)
        self.assertEqual(table1["inception", "crop"], {"train_accuracy": 100.0, "test_accuracy": 89.31})
        self.assertEqual(
            table1["mlp_1x512", "random_labels"], {"train_accuracy": 99.34, "test_accuracy": 10.61}
        )
        table2 = paper_numbers.of_table("table2").rows
        self.assertLen(table2, 7)
        brackets = table2["inception_v3", "weight_decay"]
        self.assertEqual(
            (brackets["best_test_accuracy"], brackets["best_test_top5_accuracy"]), (72.57, 91.31)
        )

    def test_a_note_is_no_number(self):
        table4 = paper_numbers.of_table("table4")
        cell = ("alexnet", "random_labels+weight_decay")
        self.assertEqual((table4.rows[cell], table4.notes[cell]), ({}, "failed to converge"))
        self.assertEqual(table4.quantities, {"train_accuracy"})

    def test_figures_have_the_papers_curves(self):
        figure1a = paper_numbers.of_figure("figure1a")
        self.assertLen(figure1a.curves, 5)
        self.assertEqual(figure1a.curves[0].points[0], (391, 0.8393))
        self.assertEqual(figure1a.rows["inception", "true_labels"]["epochs_to_fit"], 10)
        figure1b_1c = paper_numbers.of_figure("figure1b_1c").rows
        self.assertLen(figure1b_1c, 33)
        mlp = figure1b_1c["mlp_1x512", "corruption_1.0"]
        self.assertEqual((mlp["epochs_to_fit"], mlp["test_error"]), (55, 89.82))
        plain = paper_numbers.of_figure("figure2a").rows["inception_v3", "plain"]
        self.assertGreater(plain["best_test_accuracy"], plain["test_accuracy"])

    def test_data_sets(self):
        self.assertEqual(paper_numbers.examples("cifar10"), (50_000, 10_000))
        with self.assertRaisesRegex(ValueError, "no data set 'mnist'"):
            paper_numbers.examples("mnist")

    def test_sources_are_named(self):
        for source in paper_numbers.sources():
            self.assertIn("arXiv 1611.03530", source)


if __name__ == "__main__":
    absltest.main()
