import csv

import keras
import numpy as np
from absl.testing import absltest

from rethink_keras import config
from rethink_keras.data.splits import Splits
from rethink_keras.errors import UserError
from rethink_keras.training import summary
from rethink_keras.training.evaluation import Evaluation
from tests.training.small_runs import SMALL, new_folder, run


class Top5Test(absltest.TestCase):
    def test_columns_and_summary_hold_what_the_saved_model_does(self):
        with new_folder() as folder:
            result = run(folder, "evaluation.top5 = True")
            with (folder / "metrics.csv").open() as file:
                rows = list(csv.DictReader(file))
            model = keras.saving.load_model(folder / "model.keras")
            config.parse([], SMALL)
            splits = Splits.configured(None, 0)
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

    def test_is_measured_where_asked_only_and_changes_nothing_else(self):
        with new_folder() as folder:
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

    def test_its_best_epoch_is_its_own(self):
        rows = [
            {
                "epoch": k + 1,
                "step": k,
                "seconds": 1,
                "train_loss": 1.0,
                "train_accuracy": 0.5,
                "test_loss": 1.0,
            }
            | {"test_accuracy": top1, "test_top5_accuracy": top5, "train_top5_accuracy": 0.9}
            for k, (top1, top5) in enumerate([(0.2, 0.5), (0.3, 0.4), (0.1, 0.6)])
        ]
        best = summary.figures(rows, Evaluation(top5=True))["best_on_the_way"]
        self.assertEqual(best, {"test_accuracy": 0.3, "epoch": 2, "test_top5_accuracy": 0.6, "top5_epoch": 3})

    def test_tells_nothing_of_five_classes(self):
        with self.assertRaisesRegex(UserError, "evaluation.top5 tells nothing of 5 classes"):
            Evaluation(top5=True).metrics(5)


if __name__ == "__main__":
    absltest.main()
