from pathlib import Path
from unittest import mock

import matplotlib.image
from absl.testing import absltest
from matplotlib.axes import Axes

from rethink_keras.training import learning_curves


class LearningCurvesTest(absltest.TestCase):
    def test_accuracies_in_percent_and_losses_of_each_run(self):
        path = Path(self.create_tempdir().full_path) / "curves.png"
        rows = [
            {"epoch": 1, "train_accuracy": 0.5, "test_accuracy": 0.25, "train_loss": 2.0, "test_loss": 3.0}
        ]
        with mock.patch.object(Axes, "plot", autospec=True, side_effect=Axes.plot) as lines:
            learning_curves.plot({"one": rows, "two": rows}, path, "title")
        self.assertEqual(matplotlib.image.imread(path).shape[:2], (546, 1300))
        drawn = [(call.kwargs["label"], call.args[2]) for call in lines.call_args_list]
        self.assertEqual(
            drawn[:4],
            [("one, train", [50.0]), ("one, train", [2.0]), ("one, test", [25.0]), ("one, test", [3.0])],
        )
        self.assertLen(drawn, 8)


if __name__ == "__main__":
    absltest.main()
