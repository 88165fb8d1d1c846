"""Table 2's rows, and the whole way of one of them on a small made ImageNet."""

import contextlib
import csv
import io
import json
from pathlib import Path

from absl.testing import absltest, parameterized

import rethink_keras
from rethink_keras import config
from rethink_keras.data.splits import Splits
from rethink_keras.training.config import RunConfig
from rethink_keras.training.data import resolve_regularization
from tests.data import made_imagenet

GIN = Path(__file__).parents[2] / "gin"
AUGMENTATION, DROPOUT, DECAY, RANDOM = (
    GIN / "with" / f"{name}.gin"
    for name in ("inception_augmentation", "dropout", "weight_decay", "random_labels")
)
SMALL = (
    "preprocessing.crop = 75",
    "train.epochs = 1",
    "train.batch_size = 25",
    "train.learning_rate = 0.005",
)


class Table2Test(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.enter_context(contextlib.redirect_stdout(io.StringIO()))
        cls.enter_context(made_imagenet.prepared())

    @parameterized.parameters(
        ((AUGMENTATION, DROPOUT, DECAY), "true", True, 0.2, 4e-5),
        ((AUGMENTATION,), "true", True, 0, 0),
        ((DECAY,), "true", False, 0, 4e-5),
        ((), "true", False, 0, 0),
        ((RANDOM, DECAY, DROPOUT), "random", False, 0.2, 4e-5),
        ((RANDOM, DECAY), "random", False, 0, 4e-5),
        ((RANDOM,), "random", False, 0, 0),
    )
    def test_rows(self, files, labels, augmented, dropout, weight_decay):
        config.parse([GIN / "table2_inception_v3.gin", *files])
        splits = Splits.from_gin(None, 0)
        resolved = resolve_regularization(RunConfig.from_gin())
        self.assertEqual(splits.randomization.labels, labels)
        self.assertEqual((resolved.dropout, resolved.weight_decay), (dropout, weight_decay))
        self.assertEqual(resolved.augmentation.in_force, augmented)
        self.assertEqual(
            (
                resolved.augmentation.random_crop,
                resolved.augmentation.flip,
                resolved.augmentation.color_distortion,
            ),
            (augmented,) * 3,
        )
        self.assertNotIn("not configured", resolved.log)
        self.assertEqual(config.bound("train.epochs", None), 100)

    def test_the_whole_way(self):
        files = [GIN / "table2_inception_v3.gin", AUGMENTATION, DROPOUT, DECAY, RANDOM]
        folder = Path(self.create_tempdir())
        result = rethink_keras.run(files, SMALL, folder)
        summary = json.loads((folder / "summary.json").read_text())
        with (folder / "metrics.csv").open() as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([row["step"] for row in rows], ["2"])
        self.assertEqual((summary["status"], summary["model"]), ("done", "inception_v3"))
        self.assertEqual(summary["train_examples"], made_imagenet.TRAIN)
        for split in ("train", "test"):
            self.assertLessEqual(
                float(rows[-1][f"{split}_accuracy"]), float(rows[-1][f"{split}_top5_accuracy"])
            )
        self.assertLess(result.history[-1]["running_loss"], 10)
        self.assertIn("test_top5_accuracy", summary["best_on_the_way"])


if __name__ == "__main__":
    absltest.main()
