from absl.testing import absltest

from rethink_keras.reports import paper, paper_results


class PaperTest(absltest.TestCase):
    def test_tables_have_the_papers_rows(self):
        table = paper.values("table1")
        self.assertLen(table, 19)
        self.assertEqual(table["inception", "crop"], {"train_accuracy": 100.0, "test_accuracy": 89.31})
        self.assertEqual(
            table["mlp_1x512", "random_labels"], {"train_accuracy": 99.34, "test_accuracy": 10.61}
        )
        self.assertLen(paper.values("table2"), 7)
        brackets = paper.values("table2")["inception_v3", "weight_decay"]
        self.assertEqual(
            (brackets["best_test_accuracy"], brackets["best_test_top5_accuracy"]), (72.57, 91.31)
        )
        self.assertEqual(
            paper.values("table4")["alexnet", "random_labels+weight_decay"], {"note": "failed to converge"}
        )

    def test_figures_have_the_papers_curves(self):
        self.assertLen(paper.curves("figure1a"), 5)
        self.assertEqual(paper.curves("figure1a")[0].points[0], (391, 0.8393))
        self.assertLen(paper.values("figure1b_1c"), 33)
        mlp = paper.values("figure1b_1c")["mlp_1x512", "corruption_1.0"]
        self.assertEqual((mlp["epochs_to_fit"], mlp["test_error"]), (55, 89.82))
        self.assertEqual(paper.values("figure1a")["inception", "true_labels"]["epochs_to_fit"], 10)
        self.assertGreater(
            paper.values("figure2a")["inception_v3", "plain"]["best_test_accuracy"],
            paper.values("figure2a")["inception_v3", "plain"]["test_accuracy"],
        )

    def test_every_number_is_shown_by_a_measure_and_named(self):
        for key, paper_result in paper_results.PAPER_RESULTS.items():
            shown = {measure.quantity for measure in paper_result.measures} | {"note"}
            for (network, _), values in paper.values(key).items():
                self.assertContainsSubset(values, shown)
                self.assertIn(network, paper_results.NETWORKS)

    def test_sources_are_named(self):
        for source in paper.sources():
            self.assertIn("arXiv 1611.03530", source)


if __name__ == "__main__":
    absltest.main()
