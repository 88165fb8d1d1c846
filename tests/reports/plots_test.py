from absl.testing import absltest, parameterized

from rethink_keras.reports.plots import PAPER
from tests.reports import made_sweeps as made


class PlotsTest(made.FolderTestCase):
    @parameterized.parameters(("figure2a", "full", 1), ("figure2a", "small", 0), ("figure1b_1c", "full", 2))
    def test_nothing_done_leaves_the_papers_curves(self, paper_result, size, count):
        made.sweep(self.folder / "a", paper_result, [made.plan("mlp_1x512", "plain")], size)
        plots = self.plots()
        self.assertLen(plots, count)
        self.assertEqual(
            {series.kind for plot in plots for series in plot.series}, {PAPER} if count else set()
        )

    def test_descriptions_name_the_axes(self):
        made.all_kinds(self.folder)
        tables = self.tables()
        [losses] = tables["figure1a"][1].plots(tables["figure1a"][0])
        self.assertEqual(
            losses.description, "Figure 1a: average training loss by thousand steps, the paper's and ours"
        )
        [rows] = tables["table1"][1].plots(tables["table1"][0])
        self.assertEqual(rows.description, "Table 1: test accuracy of every row, the paper's and ours")


if __name__ == "__main__":
    absltest.main()
