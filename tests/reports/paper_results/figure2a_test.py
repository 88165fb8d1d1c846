from absl.testing import absltest, parameterized

from rethink_keras.reports.plots import PAPER
from tests.reports import made_sweeps as made


class Figure2aTest(made.FolderTestCase):
    @parameterized.parameters(("full", 6), ("small", 0))
    def test_the_papers_curves_are_beside_full_sweeps_only(self, size, count):
        plan = made.plan("inception_v3", "plain")
        folder = made.sweep(self.folder / "a", "figure2a", [plan], size)
        made.run(folder, plan, made.rows(2, (0.9, 0.6)))
        [plot] = self.plots()
        self.assertLen([series for series in plot.series if series.kind == PAPER], count)
        self.assertEqual(plot.x_title, {"full": "thousand steps", "small": "epochs"}[size])


if __name__ == "__main__":
    absltest.main()
