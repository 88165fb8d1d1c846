from absl.testing import absltest

from rethink_keras.reports.plots import OURS, PAPER, SEED, UNFINISHED
from tests.reports import made_sweeps as made


class Figure1aTest(made.FolderTestCase):
    def test_a_mean_is_over_seeds_that_are_done(self):
        planned = [made.plan("inception", "random_labels", seed) for seed in range(3)]
        folder = made.sweep(self.folder / "a", "figure1a", planned)
        losses = (2.0, 1.0, 0.1)
        for plan, loss, status in zip(planned, losses, ("done", "done", "running"), strict=True):
            rows = [{**row, "train_loss": loss} for row in made.rows(3 - plan.seed, (1.0, 0.1))]
            made.run(folder, plan, rows, status)
        (plot,) = self.plots()
        self.assertLen([s for s in plot.series if s.kind == PAPER], 5)
        self.assertEqual(
            [(s.name, s.kind) for s in plot.series if s.kind != PAPER],
            [("random labels", kind) for kind in (OURS, SEED, SEED, UNFINISHED)],
        )
        mean = next(series for series in plot.series if series.kind == OURS)
        self.assertEqual((mean.x, mean.y), ((0.391, 0.782), (1.5, 1.5)))

    def test_small_sweeps_go_by_epochs(self):
        plan = made.plan("mlp_1x512", "true_labels")
        made.run(made.sweep(self.folder / "a", "figure1a", [plan], "small"), plan, made.rows(3, (1.0, 0.5)))
        (plot,) = self.plots()
        ours = next(series for series in plot.series if series.kind == OURS)
        papers = next(series for series in plot.series if series.kind == PAPER)
        self.assertEqual((ours.x, papers.x[:2], plot.x_title), ((1, 2, 3), (1.0, 2.0), "epochs"))
        self.assertEqual(plot.title, "Figure 1a, small version")


if __name__ == "__main__":
    absltest.main()
