import json
from pathlib import Path

import numpy as np
from absl.testing import absltest

from tests.training.callbacks.tensorboard_test import ON, events
from tests.training.small_runs import run


class LabelConfusionTest(absltest.TestCase):
    def test_with_random_labels_nothing_is_clean_and_some_examples_suffice(self):
        folder = Path(self.create_tempdir())
        run(
            folder,
            ON,
            "randomization.labels = 'random'",
            "confusion.examples = 70",
            "evaluation.batch_size = 32",
            "train.epochs = 1",
        )
        tags = {tag for tag, *_ in events(folder)}
        (entry,) = json.loads((folder / "confusion.json").read_text())
        self.assertContainsSubset({"confusion/corrupted", "confusion/corrupted_by_true_label"}, tags)
        self.assertNotIn("confusion/clean", tags)
        self.assertEqual((np.sum(entry["clean"]), np.sum(entry["corrupted"])), (0, 70))


if __name__ == "__main__":
    absltest.main()
