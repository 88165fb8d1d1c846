from absl.testing import absltest

from rethink_keras.reports.plots import OURS
from tests.reports import made_sweeps as made


class Figure2bTest(made.FolderTestCase):
    def test_networks_are_named_where_they_differ_and_training_is_told_apart(self):
        planned = [made.plan(network, "plain") for network in ("inception", "inception_no_bn")]
        folder = made.sweep(self.folder / "a", "figure2b", planned)
        for plan in planned:
            made.run(folder, plan, made.rows(2, (0.9, 0.8)))
        (plot,) = self.plots()
        self.assertEqual(plot.names, ["small Inception", "small Inception w/o BatchNorm"])
        ours = {(s.name, s.of_training): s.y for s in plot.series if s.kind == OURS}
        self.assertEqual(ours["small Inception", True], (90.0, 90.0))
        self.assertEqual(ours["small Inception w/o BatchNorm", False], (80.0, 80.0))


if __name__ == "__main__":
    absltest.main()
