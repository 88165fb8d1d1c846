import contextlib
import csv
import json
import os
import signal
from pathlib import Path
from unittest import mock

import keras
import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.data.sources import ImageSet, digits
from rethink_keras.data.splits import Splits
from rethink_keras.errors import DataNotAvailableError, DivergedError, StoppedBySignalError, UserError
from tests.training import small_runs
from tests.training.small_runs import (
    run,
    sigterm_after_epoch,
    sigterm_at,
    sigterm_in_evaluation,
    sigterm_in_save,
    spoiled_weight,
    timeless,
)
from tests.training.train_processes import newest_arrays

FIRST_EPOCH = "epoch-00001-step-0000000.npz"


class TrainTest(parameterized.TestCase):
    def test_workdir_tells_the_run(self):
        folder = Path(self.create_tempdir())
        result = run(folder / "run", "train.tensorboard = True")
        with (folder / "run" / "metrics.csv").open() as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["epoch"] for row in rows], ["1", "2", "3"])
        self.assertEqual([row["step"] for row in rows], ["10", "20", "30"])
        self.assertEqual(float(rows[2]["train_loss"]), result.history[2]["train_loss"])
        self.assertAlmostEqual(float(rows[1]["learning_rate"]), 0.05 * 0.95)
        summary = json.loads((folder / "run" / "summary.json").read_text())
        self.assertEqual(summary, result.summary)
        self.assertEqual(summary["status"], "done")
        self.assertRegex(summary["date"], r"^20\d\d-\d\d-\d\d$")
        self.assertEqual(summary["trainable_parameters"], 64 * 32 + 32 + 32 * 10 + 10)
        self.assertEqual(
            set(summary["fingerprints"]),
            {"train_data", "test_data", "randomization", "epoch_order", "weights"},
        )
        self.assertNotEmpty(list((folder / "run" / "tensorboard" / "train").iterdir()))
        self.assertNotEmpty(list((folder / "run" / "tensorboard" / "test").iterdir()))

    def test_saved_model_and_reported_figures_agree(self):
        folder = Path(self.create_tempdir())
        result = run(folder)
        model = keras.saving.load_model(folder / "model.keras", safe_mode=True)
        config.parse([], small_runs.SMALL)
        batches = Splits.from_gin(None, 0).pipeline("test").evaluation_batches(50)
        images, labels = (np.concatenate(parts) for parts in zip(*batches.as_numpy_iterator(), strict=True))
        accuracy = np.mean(model.predict(images, verbose=0).argmax(1) == labels)
        self.assertAlmostEqual(accuracy, result.history[-1]["test_accuracy"], places=6)

    def test_fits_random_labels_and_says_when(self):
        folder = Path(self.create_tempdir())
        result = run(
            folder,
            "randomization.labels = 'random'",
            "mlp.hidden = '256'",
            "train.epochs = 60",
            "exponential.factor = 0.99",
            "evaluation.stop_when = 'fit_loss'",
        )
        final = result.summary["final"]
        self.assertGreater(final["train_accuracy"], 0.99)
        self.assertLess(final["test_accuracy"], 0.25)
        self.assertEqual(result.summary["epochs_to_fit"], len(result.history))
        self.assertLessEqual(result.history[-1]["train_loss"], 0.05)
        self.assertGreater(result.history[-2]["train_loss"], 0.05)

    def test_running_average_is_named(self):
        folder = Path(self.create_tempdir())
        result = run(folder, "evaluation.train_metrics = 'running_average'")
        row = result.history[0]
        self.assertEqual(row["train_metrics"], "running_average")
        self.assertEqual(row["train_loss"], row["running_loss"])

    def test_cross_entropy_is_apart_from_the_penalty(self):
        # With a rate of nearly nothing the weights stay, so that loss, cross-entropy and penalty compare.
        folder = Path(self.create_tempdir())
        still = ("train.learning_rate = 1e-9", "train.epochs = 1", "augmentation.flip = False")
        plain = run(folder / "plain", *still, "regularization.weight_decay = 0").history[0]
        decayed = run(folder / "decayed", *still, "regularization.weight_decay = 0.5").history[0]
        self.assertEqual(plain["penalty"], 0)
        self.assertGreater(decayed["penalty"], 1)
        for column in ("train_loss", "test_loss", "running_loss"):
            self.assertAlmostEqual(decayed[column], plain[column], places=4)

    @parameterized.parameters(
        ((), True),  # an MLP's default weight decay
        (("randomization.labels = 'random'",), False),
        (("randomization.pixels = 'shuffled'", "regularization.weight_decay = 1e-4"), True),
        (("regularization.weight_decay = 0",), False),
        (("regularization.weight_decay = 0", "augmentation.flip = True"), True),
        (("regularization.weight_decay = 0", "regularization.dropout = 0.2"), True),
    )
    def test_explicit_regularization(self, bindings, expected):
        folder = Path(self.create_tempdir())
        result = run(folder, "train.epochs = 1", *bindings)
        self.assertEqual(result.summary["explicit_regularization"], expected)

    def test_steps_per_execution_does_not_change_results(self):
        folder = Path(self.create_tempdir())
        histories = [
            timeless(run(folder / str(n), f"train.steps_per_execution = {n}").history) for n in (1, 4, 10)
        ]
        self.assertEqual(histories[0], histories[1])
        self.assertEqual(histories[0], histories[2])

    def test_seed_changes_the_run_and_nothing_else_does(self):
        folder = Path(self.create_tempdir())
        first, again, other = (
            run(folder / name, f"train.seed = {seed}").summary["fingerprints"]["weights"]
            for name, seed in (("a", 1), ("b", 1), ("c", 2))
        )
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_a_run_that_prepares_its_data_equals_one_that_finds_them_prepared(self):
        folder = Path(self.create_tempdir())
        with mock.patch.object(digits, "EMBEDDED_DIR", folder / "data"):
            first, again = (run(folder / name).summary["fingerprints"] for name in ("first", "again"))
        self.assertEqual(first, again)

    def test_divergence_is_an_error_and_a_status(self):
        folder = Path(self.create_tempdir())
        with self.assertRaisesRegex(DivergedError, "not finite in epoch 1 at step"):
            run(folder, "train.learning_rate = 1e30", "train.steps_per_execution = 1")
        self.assertEqual(json.loads((folder / "summary.json").read_text())["status"], "diverged")

    def test_a_weight_that_is_not_finite_is_divergence_though_relu_hides_it(self):
        hidden = ("regularization.weight_decay = 0", "train.steps_per_execution = 1")
        folder = Path(self.create_tempdir())
        with self.assertRaises(DivergedError) as caught, spoiled_weight(14):
            run(folder, *hidden)
        self.assertEqual(caught.exception.exit_code, 4)
        self.assertIn("hidden_1/kernel", caught.exception.sentence)
        summary = json.loads((folder / "summary.json").read_text())
        self.assertEqual(summary["status"], "diverged")
        self.assertEqual((summary["diverged"]["epoch"], summary["diverged"]["step"]), (2, 10))
        self.assertFalse((folder / "model.keras").exists())
        self.assertEqual([p.name for p in sorted((folder / "checkpoints").iterdir())], [FIRST_EPOCH])

    @parameterized.named_parameters(
        ("in_mid_epoch", 1e-9, contextlib.nullcontext, 3), ("when_stopped", 0, lambda: sigterm_at(6), 0)
    )
    def test_no_checkpoint_holds_a_weight_that_is_not_finite(self, minutes, stop, saved):
        bindings = (
            "regularization.weight_decay = 0",
            "train.steps_per_execution = 1",
            f"checkpoints.every_minutes = {minutes}",
            "checkpoints.keep_last = 9",
        )
        folder = Path(self.create_tempdir())
        with self.assertRaises(DivergedError), spoiled_weight(4), stop():
            run(folder, *bindings)
        self.assertLen(list((folder / "checkpoints").iterdir()), saved)

    def test_dropout_for_a_network_without_it(self):
        folder = Path(self.create_tempdir())
        with self.assertRaisesRegex(UserError, "small_alexnet has no dropout"):
            run(folder, "train.model = @small_alexnet", "regularization.dropout = 0.5")

    @parameterized.parameters(
        ("train.batch_size = 0", "train.batch_size is 0"),
        ("train.epochs = 1.5", "train.epochs is 1.5"),
        ("train.learning_rate = -1", "train.learning_rate is -1"),
        ("train.seed = -1", "train.seed is -1"),
        ("train.strategy = 'tpu'", "train.strategy is 'tpu'"),
        ("train.precision = 'int8'", "train.precision is 'int8'"),
        ("preprocessing.crop = 9", "the images are 8 x 8"),
        ("dataset.train_examples = 5000", "from 1 to 1438"),
        ("evaluation.stop_when = 'test_accuracy'", "evaluation.stop_when"),
        ("checkpoints.keep_last = 0", "checkpoints.keep_last"),
        ("regularization.dropout = 1", "regularization.dropout is 1"),
    )
    def test_bad_values(self, binding, message):
        folder = Path(self.create_tempdir())
        with self.assertRaisesRegex(UserError, message):
            run(folder, binding)


STOPS = (
    lambda: sigterm_at(4),
    sigterm_after_epoch,
    sigterm_in_evaluation,
    lambda: sigterm_at(7),
    sigterm_in_save,
)


class ResumeTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("plain", ()),
        (
            "all_regularizers",
            (
                "regularization.dropout = 0.3",
                "regularization.weight_decay = 0.01",
                "augmentation.random_crop = True",
                "augmentation.padding = 1",
                "augmentation.rotation = 10",
            ),
        ),
        (
            "random_labels_and_pixels_adam_running_average",
            (
                "randomization.labels = 'random'",
                "randomization.pixels = 'random'",
                "train.optimizer = @adam",
                "evaluation.train_metrics = 'running_average'",
            ),
        ),
        ("mixed_float16", ("train.precision = 'mixed_float16'",)),
    )
    def test_bit_for_bit_after_stops_in_mid_epoch_and_at_its_end(self, bindings):
        bindings = (*bindings, "train.steps_per_execution = 3", "train.epochs = 4")
        folder = Path(self.create_tempdir())
        whole = run(folder / "whole", *bindings)
        stops = 0
        while True:
            try:
                with STOPS[stops % len(STOPS)]():
                    stopped = run(folder / "stopped", *bindings)
                break
            except StoppedBySignalError as error:
                self.assertEqual(error.exit_code, 128 + signal.SIGTERM)
                stops += 1
        self.assertGreaterEqual(stops, len(STOPS))
        self.assertEqual(timeless(stopped.history), timeless(whole.history))
        pairs = zip(newest_arrays(folder / "stopped"), newest_arrays(folder / "whole"), strict=True)
        for one, other in pairs:
            np.testing.assert_array_equal(one, other)
        self.assertEqual(stopped.summary["fingerprints"], whole.summary["fingerprints"])

    def test_done_stays_done(self):
        folder = Path(self.create_tempdir())
        first = run(folder)
        before = (folder / "metrics.csv").stat().st_mtime_ns
        again = run(folder)
        self.assertEqual(again.history, first.history)
        self.assertEqual((folder / "metrics.csv").stat().st_mtime_ns, before)

    def test_another_configuration_is_refused_with_the_difference(self):
        folder = Path(self.create_tempdir())
        run(folder)
        with self.assertRaisesRegex(UserError, r"(?s)-mlp.hidden = '32'.*\+mlp.hidden = '64'"):
            run(folder, "mlp.hidden = '64'")

    def test_other_data_are_refused(self):
        folder = Path(self.create_tempdir())
        with self.assertRaises(StoppedBySignalError), sigterm_after_epoch():
            run(folder)
        with (
            mock.patch.object(ImageSet, "fingerprint", "of other data"),
            self.assertRaisesRegex(UserError, "another configuration or other data"),
        ):
            run(folder)

    def test_overwrite_moves_the_earlier_run_aside(self):
        folder = Path(self.create_tempdir())
        run(folder / "run")
        run(folder / "run", "mlp.hidden = '64'", overwrite=True)
        self.assertIn("'32'", (folder / "run.old-1" / "config.gin").read_text())
        self.assertIn("'64'", (folder / "run" / "config.gin").read_text())

    @parameterized.parameters(
        (["dataset.train_examples = 5000"], UserError),
        (["evaluation.every_epochs = 0"], UserError),
        (["train.batch_size = 301"], UserError),
        (["dataset.name = 'cifar100'"], DataNotAvailableError),
    )
    def test_overwrite_moves_nothing_until_a_new_run_can_begin(self, bindings, error):
        nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
        folder = Path(self.create_tempdir())
        with mock.patch.dict(os.environ, nowhere):
            (folder / "run" / "checkpoints").mkdir(parents=True)
            for name in ("config.gin", "checkpoints/epoch-00001-step-0000000.npz"):
                (folder / "run" / name).write_text("an earlier run")
            with self.assertRaises(error):
                run(folder / "run", *bindings, overwrite=True, data_dir=folder / "data")
            self.assertEqual((folder / "run" / "config.gin").read_text(), "an earlier run")
            self.assertEqual([p.name for p in folder.glob("run*")], ["run"])


if __name__ == "__main__":
    absltest.main()
