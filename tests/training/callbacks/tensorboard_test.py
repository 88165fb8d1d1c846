import functools
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest
from tensorboard.plugins.hparams import api_pb2, metadata

from rethink_keras.data import image_grid
from rethink_keras.errors import DivergedError, StoppedBySignalError, UserError
from rethink_keras.training import evaluation
from rethink_keras.training.evaluators.confusion import Confusion
from tests.training.small_runs import (
    before_call,
    run,
    send_sigterm,
    sigterm_after_epoch,
    timeless,
)

ROOT = Path(__file__).parents[3]
ON = "train.tensorboard = True"
HALF = (
    "randomization.labels = 'partially_corrupted'",
    "randomization.corruption = 0.5",
    "confusion.every_epochs = 2",
    "confusion.examples = None",
)
OTHERWISE = (
    "train.seed = 7",
    "train.epochs = 5",
    "randomization.pixels = 'shuffled'",
    "regularization.weight_decay = 0.01",
    "regularization.dropout = 0.3",
    "augmentation.flip = True",
    "evaluation.fit_loss = 2.2",
)


def events(workdir, sub=""):
    """(tag, step, value) of a folder's event files, in the order of the tags and steps."""
    found = []
    for path in sorted((workdir / "tensorboard" / sub).glob("events*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                plugin = value.metadata.plugin_data
                if plugin.plugin_name == metadata.PLUGIN_NAME:
                    found.append((value.tag, event.step, plugin.content))
                else:
                    found.append((value.tag, event.step, tf.make_ndarray(value.tensor)))
    return found


def scalars(found):
    return {
        (tag, step): float(value)
        for tag, step, value in found
        if not isinstance(value, bytes) and value.dtype == np.float32
    }


def hyperparameters(workdir):
    contents = {tag: content for tag, _, content in events(workdir) if isinstance(content, bytes)}
    start = metadata.parse_session_start_info_plugin_data(contents[metadata.SESSION_START_INFO_TAG])
    end = contents.get(metadata.SESSION_END_INFO_TAG)
    told = {name: getattr(value, value.WhichOneof("kind")) for name, value in start.hparams.items()}
    return told, end and metadata.parse_session_end_info_plugin_data(end).status


class SeenRunTest(absltest.TestCase):
    """One run in all its detail, and the same run that nobody looks at."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory())) / "seen"
        cls.grids = []
        grid = image_grid.grid

        def spy(*args):
            cls.grids.append(args)
            return grid(*args)

        with mock.patch.object(image_grid, "grid", spy):
            cls.result = run(cls.folder, ON, *HALF, *OTHERWISE)
        cls.unseen_folder = cls.folder.with_name("unseen")
        cls.unseen = run(cls.unseen_folder, *HALF[:2], *OTHERWISE)
        cls.events = {sub: events(cls.folder, sub) for sub in ("", "train", "test")}
        cls.scalars = {sub: scalars(found) for sub, found in cls.events.items()}

    def value(self, tag):
        (value,) = [value for name, _, value in self.events[""] if name == tag]
        return value

    def test_off_by_one_binding_and_training_is_the_same_to_the_bit(self):
        self.assertEqual(timeless(self.result.history), timeless(self.unseen.history))
        self.assertEqual(self.result.summary["fingerprints"], self.unseen.summary["fingerprints"])
        left = {path.name for path in self.folder.iterdir()} - {p.name for p in self.unseen_folder.iterdir()}
        self.assertEqual(left, {"tensorboard", "confusion.json"})

    def test_train_and_test_share_their_tags(self):
        for split in ("train", "test"):
            told = self.scalars[split]
            for row in self.result.history:
                for name in ("loss", "accuracy"):
                    self.assertAlmostEqual(told[name, row["epoch"]], row[f"{split}_{name}"], places=5)
        told = self.scalars["train"]
        for row in self.result.history:
            self.assertAlmostEqual(told["learning_rate", row["epoch"]], row["learning_rate"], places=6)
            self.assertGreater(row["penalty"], 0)
            self.assertAlmostEqual(told["penalty", row["epoch"]], row["penalty"], places=4)
        self.assertLen(told, 4 * 5)

    def test_final_figures(self):
        final, summary = self.scalars[""], self.result.summary
        self.assertBetween(summary["epochs_to_fit"], 1, 5)
        self.assertEqual(final["epochs_to_fit", 5], summary["epochs_to_fit"])
        self.assertAlmostEqual(
            final["best_test_accuracy", 5], summary["best_on_the_way"]["test_accuracy"], places=6
        )

    def test_configuration_is_a_block_of_text(self):
        text = self.value("configuration").item().decode()
        self.assertEqual(text, f"```\n{(self.folder / 'config.gin').read_text()}\n```")
        self.assertIn("train.learning_rate = 0.05", text)

    def test_hyperparameters_are_what_is_bound_what_is_usual_and_what_was_settled(self):
        told, status = hyperparameters(self.folder)
        self.assertEqual(status, api_pb2.STATUS_SUCCESS)
        expected = {
            "train.learning_rate": 0.05,
            "train.batch_size": 32,
            "train.epochs": 5,
            "train.seed": 7,
            "train.model": "mlp",
            "train.optimizer": "sgd",
            "train.schedule": "exponential",
            "mlp.hidden": "32",
            "dataset.name": "digits",
            "dataset.train_examples": 300,
            "dataset.test_examples": 100,
            "evaluation.fit_loss": 2.2,
            "randomization.labels": "partially_corrupted",
            "randomization.corruption": 0.5,
            "randomization.pixels": "shuffled",
            "regularization.weight_decay": 0.01,
            "regularization.dropout": 0.3,
            "augmentation": "left-right flip",
            "augmentation.flip": True,
        }
        self.assertEqual(told, expected)

    def test_clean_and_corrupted_together_are_the_training_accuracy(self):
        entries = json.loads((self.folder / "confusion.json").read_text())
        self.assertEqual([entry["epoch"] for entry in entries], [1, 2, 4, 5])  # first, each second, last
        for entry in entries:
            counted = Confusion(*(np.array(entry[name]) for name in Confusion._fields))
            self.assertEqual(counted.clean.sum() + counted.corrupted.sum(), 300)
            right = np.trace(counted.clean) + np.trace(counted.corrupted)
            row = self.result.history[entry["epoch"] - 1]
            self.assertAlmostEqual(right / 300, row["train_accuracy"], places=5)
            for kind, accuracy in counted.accuracies().items():
                told = self.scalars[""][f"accuracy_on/{kind}", entry["epoch"]]
                self.assertAlmostEqual(told, accuracy, places=6)
        steps = [step for tag, step, _ in self.events[""] if tag == "confusion/corrupted_by_true_label"]
        self.assertEqual(steps, [1, 2, 4, 5])

    def test_first_batch_shows_the_originals_above_what_is_fed(self):
        ((rows, _, heading),) = self.grids
        (above, original), (below, fed) = rows
        self.assertEqual(above, "original")
        self.assertIn("shuffled pixels", below)
        self.assertIn("before augmentation", heading)
        np.testing.assert_array_equal(original.ids, fed.ids)
        np.testing.assert_array_equal(original.labels, fed.original_labels)
        self.assertFalse(original.corrupted.any())
        self.assertTrue(fed.corrupted.any())
        sorted_pixels = [np.sort(examples.images.reshape(8, -1)) for examples in (original, fed)]
        np.testing.assert_array_equal(*sorted_pixels)
        self.assertFalse(np.array_equal(original.images, fed.images))

        width, height, png = self.value("first_batch")
        self.assertBetween(int(width), 700, 1200)
        self.assertBetween(int(height), 200, 400)
        pixels = tf.io.decode_png(png).numpy().astype(int)
        red = (pixels[..., 0] > 180) & (pixels[..., 1] < 100)
        middle = len(red) // 2 - 15  # above the labels of the lower row
        self.assertEqual(red[:middle].sum(), 0)
        self.assertGreater(red[middle:].sum(), 20)


class EndTest(absltest.TestCase):
    def test_a_run_that_diverges_is_a_failure(self):
        folder = Path(self.create_tempdir())
        with self.assertRaises(DivergedError):
            run(folder, ON, "train.learning_rate = 1e30", "train.steps_per_execution = 1")
        self.assertEqual(hyperparameters(folder)[1], api_pb2.STATUS_FAILURE)

    def test_a_run_that_breaks_is_a_failure(self):
        broken = mock.patch.object(evaluation, "evaluate", side_effect=ArithmeticError)
        folder = Path(self.create_tempdir())
        with broken, self.assertRaises(ArithmeticError):
            run(folder, ON)
        self.assertEqual(hyperparameters(folder)[1], api_pb2.STATUS_FAILURE)

    def test_stops_leave_no_point_twice_and_none_out(self):
        bindings = (ON, *HALF, "train.epochs = 4", "train.steps_per_execution = 3")
        in_confusion = functools.partial(before_call, evaluation, "predictions", send_sigterm)
        folder = Path(self.create_tempdir())
        run(folder / "whole", *bindings)
        for stop in (sigterm_after_epoch, in_confusion):
            with self.assertRaises(StoppedBySignalError), stop():
                run(folder / "stopped", *bindings)
            self.assertEqual(hyperparameters(folder / "stopped")[1], api_pb2.STATUS_UNKNOWN)
        path = folder / "stopped" / "confusion.json"
        kept = path.read_text()
        path.write_text("[{")
        with self.assertRaisesRegex(UserError, "confusion.json is damaged. Remove it"):
            run(folder / "stopped", *bindings)
        # As if a kill had come after a later confusion was measured and before its checkpoint.
        entries = json.loads(kept)
        path.write_text(json.dumps([*entries, {**entries[-1], "epoch": 3}]))
        run(folder / "stopped", *bindings)
        self.assertEqual(path.read_text(), (folder / "whole" / "confusion.json").read_text())
        self.assertEqual(hyperparameters(folder / "stopped")[1], api_pb2.STATUS_SUCCESS)
        for sub in ("", "train", "test"):
            whole, stopped = (events(folder / name, sub) for name in ("whole", "stopped"))
            self.assertEqual([e[:2] for e in stopped], [e[:2] for e in whole])
            self.assertEqual(scalars(stopped), scalars(whole))


class LazyTest(absltest.TestCase):
    def test_help_loads_none_of_it(self):
        script = (
            "import sys; from rethink_keras.commands import train; train.main(['train', '--help']);"
            "print({'tensorflow', 'tensorboard', 'matplotlib', 'wandb'} & set(sys.modules))"
        )
        shown = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
        )
        self.assertEqual(shown.stdout.splitlines()[-1], "set()")

    def test_a_run_without_them_loads_none_of_it(self):
        script = (
            "import sys; from tests.training.small_runs import SMALL; import rethink_keras;"
            "rethink_keras.run([], [*SMALL, 'train.epochs = 1'], sys.argv[1]);"
            "print({'tensorboard.plugins.hparams.api', 'wandb'} & set(sys.modules))"
        )
        folder = Path(self.create_tempdir())
        command = [sys.executable, "-c", script, str(folder)]
        shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
        self.assertEqual(shown.stdout.splitlines()[-1], "set()")


if __name__ == "__main__":
    absltest.main()
