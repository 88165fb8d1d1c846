from pathlib import Path
from unittest import mock

import matplotlib.image
from absl.testing import absltest
from matplotlib.axes import Axes

from rethink_keras.theory import plots


class PlotsTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.path = Path(self.create_tempdir().full_path) / "plot.png"
        self.lines = self.enter_context(mock.patch.object(Axes, "plot", autospec=True, side_effect=Axes.plot))

    def labels(self):
        return [call.kwargs["label"] for call in self.lines.call_args_list]

    def test_convergence_has_the_part_outside_the_span_only_for_starts_apart_from_zero(self):
        rows = [
            {"initial_scale": scale, "step": step, "loss": 1.0, "distance": 1.0, "outside_of_span": 0.1}
            for scale in (0.0, 0.001)
            for step in (0, 1)
        ]
        plots.plot_convergence(rows, self.path)
        self.assertEqual(matplotlib.image.imread(self.path).shape[:2], (598, 1300))
        zero, other = "from zero", "from standard deviation 0.001"
        self.assertEqual(self.labels(), [zero, zero, other, other, "part outside the examples' span"])

    def test_filter_curve(self):
        rows = [{"filters": count, "test_error": 2.0, "train_error": 1.0} for count in (1000, 2000)]
        plots.plot_filter_curve(rows, self.path, "title")
        self.assertEqual(matplotlib.image.imread(self.path).shape[:2], (520, 780))
        [test, train] = self.lines.call_args_list
        self.assertEqual(test.args[1:3], ([1000, 2000], [2.0, 2.0]))
        self.assertEqual(train.args[1:3], ([1000, 2000], [1.0, 1.0]))


if __name__ == "__main__":
    absltest.main()
