"""Every gin file parses, has a header and does its experiment, or one step of it, on a few made examples."""

import functools
import re
from pathlib import Path
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

import rethink_keras
from rethink_keras import config
from rethink_keras.data import sources
from rethink_keras.data.sources import ImageSet
from rethink_keras.theory import fit_any_targets, interpolation, minimum_norm
from tests.training.small_runs import new_folder

GIN = Path(__file__).parents[1] / "gin"
SHAPES = {"digits": (8, 8, 1), "mnist": (28, 28, 1), "cifar10": (32, 32, 3)}
ONE_STEP = (
    "dataset.train_examples = 4",
    "dataset.test_examples = 4",
    "train.batch_size = 4",
    "train.epochs = 1",
    "train.tensorboard = False",
)
IMAGENET = ("table2_inception_v3", "inception_augmentation", "dropout")  # trained in training/table2_test.py
OBSERVERS = ("wandb",)  # training/wandb_test.py
SECTIONS = sorted(GIN.glob("section*.gin"))  # of sections 4 and 5: they train no network
EXPERIMENTS = sorted(
    p
    for p in (*GIN.glob("*.gin"), *GIN.glob("speedrun/*.gin"))
    if p.stem not in IMAGENET and p not in SECTIONS
)
OVERLAYS = sorted(p for p in (GIN / "with").glob("*.gin") if p.stem not in (*IMAGENET, *OBSERVERS))


def made(name, split, data_dir=None, count=8):
    """Noise in the shape of a data set: gin files are tested where no data are, too."""
    del data_dir
    bits, count = np.random.default_rng(0), min(count or 8, 8)
    images = bits.integers(0, 256, (count, *SHAPES[name]), dtype=np.uint8)
    return ImageSet(name, split, images, bits.integers(0, 10, count), np.arange(count), tuple("0123456789"))


@functools.cache
def trained(*files):
    """What training one step with these gin files returned."""
    with new_folder() as folder, mock.patch.object(sources, "load", made):
        return rethink_keras.run(files, ONE_STEP, folder)


# How each command of sections 4 and 5 is made small: its function, and bindings.
FEW = ("dataset.train_examples = 6", "dataset.test_examples = 4")
SMALL_SECTIONS = {
    "expressivity": (
        fit_any_targets.expressivity_table,
        ("expressivity_table.sizes = (6,)", "expressivity_table.depths = (2, 3)"),
    ),
    "kernel": (interpolation.interpolation, ()),
    "minimum_norm": (minimum_norm.minimum_norm, ("minimum_norm.batch_size = 4", "minimum_norm.steps = 2")),
}


def experimented(path):
    """The summary of a section's experiment, run by the command that its header names."""
    command = re.search(r"# Command: +bin/(\w+) --gin_file=gin/(\S+)", path.read_text())
    assert command and command[2] == path.name
    run, bindings = SMALL_SECTIONS[command[1]]
    fewer = ("random_convolutions.filters = (4, 8)",) if "random_convolutions" in path.read_text() else ()
    config.parse([path], [*FEW, *bindings, *fewer])
    with new_folder() as folder, mock.patch.object(sources, "load", made):
        return run(workdir=folder).summary


class GinFilesTest(parameterized.TestCase):
    @parameterized.named_parameters(
        (str(p.relative_to(GIN).with_suffix("")).replace("/", "_"), p) for p in sorted(GIN.rglob("*.gin"))
    )
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

    @parameterized.named_parameters((p.stem, p) for p in SECTIONS)
    def test_section_does_its_experiment(self, path):
        summary = experimented(path)
        self.assertEqual((summary["status"], summary["train_examples"]), ("done", 6))

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
        summary = trained(path).summary
        self.assertFalse(summary["explicit_regularization"])
        self.assertEqual(summary["randomization"]["labels"], "true")


if __name__ == "__main__":
    absltest.main()
