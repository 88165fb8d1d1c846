import csv
from pathlib import Path

import keras
import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.data.splits import Splits
from rethink_keras.errors import UserError
from rethink_keras.training.distribution.devices import Devices
from rethink_keras.training.evaluation import Evaluation
from tests.training.small_runs import SMALL, paused, run, timeless


class Top5Test(absltest.TestCase):
    def test_columns_and_summary_hold_what_the_saved_model_does(self):
        folder = Path(self.create_tempdir())
        result = run(folder, "evaluation.top5 = True")
        with (folder / "metrics.csv").open() as file:
            rows = list(csv.DictReader(file))
        model = keras.saving.load_model(folder / "model.keras")
        config.parse([], SMALL)
        splits = Splits.from_gin(None, 0)
        for split in ("train", "test"):
            images, labels = next(splits.pipeline(split).evaluation_batches(300).as_numpy_iterator())
            likeliest = np.argsort(-model.predict(images, verbose=0), axis=1)[:, :5]
            expected = np.mean(likeliest == labels[:, np.newaxis]) * 5
            self.assertAlmostEqual(float(rows[-1][f"{split}_top5_accuracy"]), expected, places=6)
            self.assertEqual(
                result.summary["final"][f"{split}_top5_accuracy"],
                result.history[-1][f"{split}_top5_accuracy"],
            )
        best = result.summary["best_on_the_way"]
        self.assertEqual(best["test_top5_accuracy"], max(row["test_top5_accuracy"] for row in result.history))
        self.assertEqual(
            best["test_top5_accuracy"], result.history[best["top5_epoch"] - 1]["test_top5_accuracy"]
        )

    def test_is_measured_where_requested_only_and_changes_nothing_else(self):
        folder = Path(self.create_tempdir())
        plain = run(folder / "plain", "train.epochs = 1")
        more = run(
            folder / "more",
            "train.epochs = 1",
            "evaluation.top5 = True",
            "evaluation.train_metrics = 'running_average'",
        )
        self.assertEqual(plain.summary["fingerprints"]["weights"], more.summary["fingerprints"]["weights"])
        self.assertNotIn("test_top5_accuracy", plain.history[0])
        self.assertEqual(set(plain.summary["best_on_the_way"]), {"test_accuracy", "epoch"})
        self.assertGreater(more.history[0]["train_top5_accuracy"], more.history[0]["train_accuracy"])

    def test_top5_of_five_classes_is_refused(self):
        with self.assertRaisesRegex(UserError, "evaluation.top5.*5 classes"):
            Evaluation(top5=True).metrics(5)


class EveryEpochsTest(parameterized.TestCase):
    def test_rows_are_those_of_the_measured_epochs(self):
        folder = Path(self.create_tempdir())
        each = run(folder / "each", "train.epochs = 5")
        some = run(folder / "some", "train.epochs = 5", "evaluation.every_epochs = 2")
        self.assertEqual([row["epoch"] for row in some.history], [2, 4, 5])
        self.assertEqual(timeless(some.history), timeless([each.history[k] for k in (1, 3, 4)]))
        self.assertEqual(some.summary["fingerprints"], each.summary["fingerprints"])
        self.assertEqual(some.summary["epochs"], 5)

    @parameterized.parameters(1, 2, 3)
    def test_resumes_after_a_pause_as_if_nothing_had_happened(self, after):
        bindings = ("train.epochs = 5", "evaluation.every_epochs = 3")
        folder = Path(self.create_tempdir())
        whole = run(folder / "whole", *bindings)
        before, _ = paused(folder / "paused", after, *bindings)
        self.assertLen(before.history, after // 3)
        resumed = run(folder / "paused", *bindings)
        self.assertEqual(timeless(resumed.history), timeless(whole.history))

    def test_a_run_ends_with_a_measured_epoch(self):
        bindings = ("evaluation.stop_when = 'fit_loss'", "evaluation.fit_loss = 10.0")
        folder = Path(self.create_tempdir())
        ended = run(folder, "train.epochs = 5", "evaluation.every_epochs = 2", *bindings)
        self.assertEqual((ended.summary["epochs"], ended.summary["epochs_to_fit"]), (2, 2))


class BatchSizeTest(parameterized.TestCase):
    """Each replica gets an example of every batch, also of the last one."""

    def size(self, configured, examples, replicas):
        splits = [absltest.mock.Mock(num_examples=count) for count in examples]
        devices = Devices(strategy=absltest.mock.Mock(num_replicas_in_sync=replicas))
        network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        return Evaluation(batch_size=configured).batch_size_for(network, splits, devices)

    @parameterized.parameters(
        ((50000, 10000), 1, 1000),
        ((50000, 10000), 2, 2000),
        ((4001, 8), 2, 1999),  # of 2000, one would be left
        ((8, 8), 8, 8000),
        ((24001,), 8, 7997),  # 8000 leaves 1, 7999 leaves 4, 7998 leaves 7
        ((9,), 8, 8000),
    )
    def test_auto(self, examples, replicas, expected):
        self.assertEqual(self.size("auto", examples, replicas), expected)

    @parameterized.parameters((100, 49, 3), (100, 33, 3), (2, 100, 3), (100, 7, 8))
    def test_a_size_that_leaves_a_replica_without_an_example_is_refused(self, examples, configured, replicas):
        with self.assertRaisesRegex(UserError, f"evaluation.batch_size = {configured}.*{replicas} replicas"):
            self.size(configured, (1000 * replicas, examples), replicas)

    @parameterized.parameters((100, 48, 3), (100, 49, 2), (100, 33, 1))
    def test_other_sizes_are_kept(self, examples, configured, replicas):
        self.assertEqual(self.size(configured, (examples,), replicas), configured)

    def test_fewer_examples_than_replicas_are_refused(self):
        with self.assertRaisesRegex(UserError, "7 examples.*8 replicas"):
            self.size("auto", (50000, 7), 8)


if __name__ == "__main__":
    absltest.main()
