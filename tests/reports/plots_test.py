from absl.testing import absltest

from rethink_keras.reports import figures, paper_results, plots, tables
from rethink_keras.reports.collect import collect
from tests.reports import made_sweeps as made


class PlotsTest(made.FolderTestCase):
    def plots(self, paper_result):
        sweep = collect(self.folder).sweeps[0]
        return plots.of(sweep, tables.build(sweep, paper_results.of(paper_result)))

    def kinds(self, plot):
        return [(series.name, series.kind) for series in plot.series if series.kind != plots.PAPER]

    def test_a_mean_is_over_seeds_that_are_done(self):
        planned = [made.plan("inception", "random_labels", seed) for seed in range(3)]
        folder = made.sweep(self.folder / "a", "figure1a", planned)
        losses = (2.0, 1.0, 0.1)
        for plan, loss, status in zip(planned, losses, ("done", "done", "running"), strict=True):
            rows = [{**row, "train_loss": loss} for row in made.rows(3 - plan.seed, (1.0, 0.1))]
            made.run(folder, plan, rows, status)
        (plot,) = self.plots("figure1a")
        self.assertLen([s for s in plot.series if s.kind == plots.PAPER], 5)
        self.assertEqual(
            self.kinds(plot),
            [("random labels", kind) for kind in (plots.OURS, plots.SEED, plots.SEED, plots.UNFINISHED)],
        )
        mean = next(series for series in plot.series if series.kind == plots.OURS)
        self.assertEqual((mean.x, mean.y), ((0.391, 0.782), (1.5, 1.5)))

    def test_small_sweeps_go_by_epochs(self):
        plan = made.plan("mlp_1x512", "true_labels")
        made.run(made.sweep(self.folder / "a", "figure1a", [plan], "small"), plan, made.rows(3, (1.0, 0.5)))
        (plot,) = self.plots("figure1a")
        ours = next(series for series in plot.series if series.kind == plots.OURS)
        papers = next(series for series in plot.series if series.kind == plots.PAPER)
        self.assertEqual((ours.x, papers.x[:2], plot.x_title), ((1, 2, 3), (1.0, 2.0), "epochs"))
        self.assertEqual(plot.title, "Figure 1a, small version")

    def test_networks_are_named_where_they_differ_and_training_is_told_apart(self):
        planned = [made.plan(network, "plain") for network in ("inception", "inception_no_bn")]
        folder = made.sweep(self.folder / "a", "figure2b", planned)
        for plan in planned:
            made.run(folder, plan, made.rows(2, (0.9, 0.8)))
        (plot,) = self.plots("figure2b")
        self.assertEqual(plot.names, ["small Inception", "small Inception w/o BatchNorm"])
        ours = {(s.name, s.of_training): s.y for s in plot.series if s.kind == plots.OURS}
        self.assertEqual(ours["small Inception", True], (90.0, 90.0))
        self.assertEqual(ours["small Inception w/o BatchNorm", False], (80.0, 80.0))

    def test_levels_that_are_not_fitted_are_not_drawn(self):
        planned = [
            made.plan("mlp_1x512", f"corruption_{level}", 0, 9) for level in ("0.0", "0.5", "1.0", "x")
        ]
        folder = made.sweep(self.folder / "a", "figure1b_1c", planned)
        for plan, fit in zip(planned, (2, 5, None, 4), strict=True):
            made.run(folder, plan, made.rows(9, (1.0, 0.3), fit=fit))
        times, errors = self.plots("figure1b_1c")
        ours = [next(s for s in plot.series if s.kind == plots.OURS) for plot in (times, errors)]
        self.assertEqual([(s.x, s.y) for s in ours], [((0.0, 0.5), (1.0, 2.5)), ((0.0, 0.5), (70.0, 70.0))])

    def test_nothing_done_draws_the_paper_alone(self):
        for paper_result, size in (("figure2a", "full"), ("figure2a", "small"), ("figure1b_1c", "full")):
            with self.subTest(paper_result, size=size):
                made.sweep(
                    self.folder / f"{paper_result}_{size}",
                    paper_result,
                    [made.plan("mlp_1x512", "plain")],
                    size,
                )
                sweep = collect(self.folder / f"{paper_result}_{size}").sweeps[0]
                for plot in plots.of(sweep, tables.build(sweep, paper_results.of(paper_result))):
                    self.assertEqual(self.kinds(plot), [])
                    png, svg = figures.draw(plot)
                    self.assertStartsWith(png, b"\x89PNG")
                    self.assertIn(b"<svg", svg)


if __name__ == "__main__":
    absltest.main()
