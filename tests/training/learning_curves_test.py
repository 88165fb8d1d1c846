import contextlib
import io
import shutil
from pathlib import Path
from unittest import mock

import matplotlib.image
from absl.testing import absltest, parameterized
from matplotlib.axes import Axes

from rethink_keras.errors import DivergedError, StoppedBySignalError
from rethink_keras.training import learning_curves
from tests.training import small_runs
from tests.training.made_run import ROW, made_run

PNG = b"\x89PNG"


def drawn(runs, path, title="title", num_classes=10):
    """Plots, and returns the label and the values of each line."""
    with mock.patch.object(Axes, "plot", autospec=True, side_effect=Axes.plot) as lines:
        learning_curves.plot(runs, path, title, num_classes)
    return [(call.kwargs["label"], call.args[2]) for call in lines.call_args_list]


class PlotTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.path = Path(self.create_tempdir()) / "curves.png"

    def test_accuracies_in_percent_and_losses_of_each_run(self):
        rows = [
            {"epoch": 1, "train_accuracy": 0.5, "test_accuracy": 0.25, "train_loss": 2.0, "test_loss": 3.0}
        ]
        lines = drawn({"one": rows, "two": rows}, self.path)
        self.assertEqual(matplotlib.image.imread(self.path).shape[:2], (546, 1300))
        self.assertEqual(
            lines[:4],
            [("one, train", [50.0]), ("one, train", [2.0]), ("one, test", [25.0]), ("one, test", [3.0])],
        )
        self.assertLen(lines, 8)

    def test_a_single_run_needs_no_name_and_a_dollar_sign_is_one(self):
        names = [label for label, _ in drawn({"": [ROW]}, self.path, title="$x")]
        self.assertEqual(names, ["train", "train", "test", "test"])
        self.assertIn(r"\$x", drawn({"$x": [ROW]}, self.path)[0][0])

    def test_chance_depends_on_the_classes(self):
        with mock.patch.object(Axes, "axhline", autospec=True, side_effect=Axes.axhline) as line:
            drawn({"": [ROW]}, self.path, num_classes=1000)
        self.assertAlmostEqual(line.call_args.args[1], 0.1)

    @parameterized.parameters(
        (2.0, 1.5, "linear"), (2.0, 0.1, "log"), (2.0, 0.0, "log"), (0.0, 0.0, "linear")
    )
    def test_the_scale_of_losses(self, test_loss, train_loss, expected):
        with mock.patch.object(Axes, "set", autospec=True, side_effect=Axes.set) as options:
            drawn({"": [{**ROW, "train_loss": train_loss, "test_loss": test_loss}]}, self.path)
        self.assertEqual(options.call_args.kwargs["yscale"], expected)


class WriteCurvesTest(absltest.TestCase):
    def write(self, rows, is_chief=True):
        run = made_run(self.create_tempdir(), facts={"model": "mlp", "dataset": "digits"})
        run.folder.writes = is_chief
        with contextlib.redirect_stdout(io.StringIO()) as out:
            learning_curves.write_curves(run, rows)
        return run.folder.curves, out.getvalue()

    def test_the_plot_of_the_rows(self):
        path, out = self.write([ROW])
        self.assertStartsWith(path.read_bytes(), PNG)
        self.assertEqual(out, "")

    def test_without_an_evaluated_epoch_there_is_none(self):
        path, _ = self.write([])
        self.assertFalse(path.exists())

    def test_only_the_chief_writes(self):
        path, _ = self.write([ROW], is_chief=False)
        self.assertFalse(path.exists())

    def test_a_failure_is_a_note(self):
        for error in (OSError(28, "No space left on device"), ValueError("no font"), MemoryError()):
            with mock.patch.object(learning_curves.plotting, "save_png", side_effect=error):
                _, out = self.write([ROW])
            self.assertStartsWith(out, "Note: ")
            self.assertIn("curves.png", out)


class RunTest(absltest.TestCase):
    """What a run leaves."""

    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir()) / "run"
        self.curves = self.folder / "curves.png"

    def test_a_finished_run_has_it_and_gets_a_lost_one_again(self):
        small_runs.run(self.folder)
        first = self.curves.read_bytes()
        self.assertStartsWith(first, PNG)
        self.curves.unlink()
        small_runs.run(self.folder)
        self.assertEqual(self.curves.read_bytes(), first)
        self.curves.unlink()
        shutil.rmtree(self.folder / "checkpoints")
        small_runs.run(self.folder)
        self.assertEqual(self.curves.read_bytes(), first)

    def test_a_finished_run_stays_finished_without_it(self):
        with mock.patch.object(learning_curves, "plot", side_effect=OSError(28, "No space left on device")):
            result = small_runs.run(self.folder)
        self.assertEqual(result.summary["status"], "done")
        self.assertFalse(self.curves.exists())

    def test_a_paused_run_has_it(self):
        small_runs.paused(self.folder, 1)
        self.assertTrue(self.curves.exists())

    def test_a_diverged_run_has_it(self):
        with self.assertRaises(DivergedError), small_runs.spoiled_weight(25):
            small_runs.run(self.folder, "train.steps_per_execution = 1")
        self.assertTrue(self.curves.exists())

    def test_a_stop_by_a_signal_does_not_wait_for_it(self):
        with self.assertRaises(StoppedBySignalError), small_runs.sigterm_after_epoch():
            small_runs.run(self.folder)
        self.assertFalse(self.curves.exists())


if __name__ == "__main__":
    absltest.main()
