"""Every gin file parses, has a header and trains one step of its network on a few made examples."""

from pathlib import Path
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

import rethink_keras
from rethink_keras.data import sources
from rethink_keras.data.sources import ImageSet
from tests.training.small_runs import new_folder

GIN = Path(__file__).parents[1] / "gin"
SHAPES = {"digits": (8, 8, 1), "mnist": (28, 28, 1), "cifar10": (32, 32, 3)}
ONE_STEP = (
    "dataset.train_examples = 4",
    "dataset.test_examples = 4",
    "train.batch_size = 4",
    "train.epochs = 1",
)
IMAGENET = ("table2_inception_v3", "inception_augmentation", "dropout")  # trained in training/table2_test.py
EXPERIMENTS = sorted(p for p in GIN.glob("*.gin") if p.stem not in IMAGENET)
OVERLAYS = sorted(p for p in (GIN / "with").glob("*.gin") if p.stem not in IMAGENET)


def made(name, split, data_dir=None):
    """Noise in the shape of a data set: gin files are tested where no data are, too."""
    del data_dir
    bits = np.random.default_rng(0)
    images = bits.integers(0, 256, (8, *SHAPES[name]), dtype=np.uint8)
    return ImageSet(name, split, images, bits.integers(0, 10, 8), np.arange(8), tuple("0123456789"))


def trained(*files):
    with new_folder() as folder, mock.patch.object(sources, "load", made):
        return rethink_keras.run(files, ONE_STEP, folder)


class GinFilesTest(parameterized.TestCase):
    @parameterized.named_parameters((p.stem, p) for p in sorted(GIN.rglob("*.gin")))
    def test_has_a_header(self, path):
        text = path.read_text()
        self.assertStartsWith(text, "# ")
        if path.parent.name != "common":
            self.assertIn("# Command:", text)
            self.assertRegex(text, "# (Expect|Paper):")
        self.assertNotIn("SEEN", text)

    @parameterized.named_parameters((p.stem, p) for p in EXPERIMENTS)
    def test_trains_one_step(self, path):
        self.assertEqual(trained(path).summary["steps"], 1)

    @parameterized.named_parameters((p.stem, p) for p in OVERLAYS)
    def test_overlay_trains_one_step(self, path):
        result = trained(GIN / "table1_mlp_1x512.gin", path)
        self.assertEqual(result.summary["steps"], 1)
        # Each asks for a randomization or for an explicit regularization, and gets it.
        randomized = result.summary["randomization"]
        in_force = randomized["labels"] != "true" or randomized["pixels"] != "true"
        self.assertTrue(in_force != result.summary["explicit_regularization"])

    @parameterized.named_parameters((p.stem, p) for p in EXPERIMENTS if p.stem.startswith("table1"))
    def test_table_1_is_the_plain_baseline(self, path):
        with mock.patch.object(sources, "load", made):
            summary = trained(path).summary
        self.assertFalse(summary["explicit_regularization"])
        self.assertEqual(summary["randomization"]["labels"], "true")


if __name__ == "__main__":
    absltest.main()
