"""Every gin file parses, has a header and runs its experiment, or one step of it, on a few made examples."""

import functools
import re
import shlex
import tempfile
from pathlib import Path
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

import rethink_keras
from rethink_keras import config, models
from rethink_keras.data.randomization import Randomization
from rethink_keras.data.sources import ImageSet
from rethink_keras.data.sources.tfds_source import InMemorySource
from rethink_keras.experiments.sweeps.sweep import Sweep
from rethink_keras.theory import expressivity_table, interpolation, minimum_norm
from rethink_keras.training.regularization import Regularization

ROOT = Path(__file__).parents[1]
GIN = ROOT / "gin"
COMPANION = ("fitting_random_labels_mlp.gin", "fitting_random_labels_wrn.gin")
LABELS = ("random_labels.gin", "partially_corrupted_labels.gin")
SHAPES = {"digits": (8, 8, 1), "mnist": (28, 28, 1), "cifar10": (32, 32, 3)}
ONE_STEP = (
    "dataset.train_examples = 4",
    "dataset.test_examples = 4",
    "train.batch_size = 4",
    "train.epochs = 1",
    "train.tensorboard = False",
)
IMAGENET = ("table2_inception_v3", "inception_augmentation", "dropout")  # trained in training/table2_test.py
OTHER_OVERLAYS = ("wandb", "100_epochs")  # neither randomize nor regularize; training/wandb_test.py
SECTIONS = sorted(GIN.glob("section*.gin"))  # of sections 4 and 5: they train no network
EXPERIMENTS = sorted(
    p
    for p in (*GIN.glob("*.gin"), *GIN.glob("speedrun/*.gin"))
    if p.stem not in IMAGENET and p not in SECTIONS
)
OVERLAYS = sorted(p for p in (GIN / "with").glob("*.gin") if p.stem not in (*IMAGENET, *OTHER_OVERLAYS))


def made(source, split, data_dir=None, count=8):
    """Noise in the shape of a data set, so that gin files can be tested where there are no data."""
    del data_dir
    bits, count = np.random.default_rng(0), min(count or 8, 8)
    images = bits.integers(0, 256, (count, *SHAPES[source.name]), dtype=np.uint8)
    return ImageSet(
        source.name, split, images, bits.integers(0, 10, count), np.arange(count), tuple("0123456789")
    )


@functools.cache
def trained(*files):
    """The result of training one step with these gin files."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(InMemorySource, "open", made):
        return rethink_keras.run(files, ONE_STEP, folder)


# How each command of sections 4 and 5 is made small: its function, and bindings.
FEW = ("dataset.train_examples = 6", "dataset.test_examples = 4")
SMALL_SECTIONS = {
    "expressivity": (
        expressivity_table.expressivity_table,
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
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(InMemorySource, "open", made):
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
    def test_section_runs_its_experiment(self, path):
        summary = experimented(path)
        self.assertEqual((summary["status"], summary["train_examples"]), ("done", 6))

    @parameterized.named_parameters((p.stem, p) for p in OVERLAYS)
    def test_overlay_trains_one_step(self, path):
        result = trained(GIN / "table1_mlp_1x512.gin", path)
        self.assertEqual(result.summary["steps"], 1)
        # Each sets a randomization or an explicit regularization, and no other.
        randomized = result.summary["randomization"]
        in_force = randomized["labels"] != "true" or randomized["pixels"] != "true"
        self.assertTrue(in_force != result.summary["explicit_regularization"])

    @parameterized.named_parameters((p.stem, p) for p in EXPERIMENTS if p.stem.startswith("table1"))
    def test_table_1_is_the_plain_baseline(self, path):
        summary = trained(path).summary
        self.assertFalse(summary["explicit_regularization"])
        self.assertEqual(summary["randomization"]["labels"], "true")


class EpochsTest(parameterized.TestCase):
    def test_no_overlay_but_100_epochs_sets_the_epochs(self):
        for path in (GIN / "with").glob("*.gin"):
            config.parse([path])
            self.assertEqual(config.bound("train.epochs", None), 100 if path.stem == "100_epochs" else None)

    @parameterized.product(recipe=COMPANION, labels=LABELS)
    def test_the_companions_rate_falls_under_randomized_labels(self, recipe, labels):
        config.parse([GIN / recipe, GIN / "with" / labels])
        self.assertEqual(config.bound("train.epochs", None), 300)
        self.assertEqual(config.bound("steps.after", None), (150, 225))

    def test_quickstart_has_the_same_epochs_under_random_labels(self):
        config.parse([GIN / "quickstart.gin", GIN / "with" / "random_labels.gin"])
        self.assertEqual(config.bound("train.epochs", None), 40)

    @parameterized.parameters(
        ("table1", "random_labels", {100}),
        ("table1", "plain", {69}),
        ("table4", "random_labels+weight_decay", {100}),
        ("table4", "random_labels+crop", {200}),
        ("figure1a", "random_labels", {69}),
        ("figure1b_1c", "corruption_0.0", {100}),
        ("figure1b_1c", "corruption_1.0", {100}),
        ("small/figure1b_1c", "corruption_1.0", {100}),
        ("small/table1", "random_labels", {30}),
    )
    def test_sweeps_set_their_own_epochs(self, sweep, variant, epochs):
        path = GIN / "sweeps" / f"{sweep}.gin"
        config.parse([path])
        runs = Sweep().plan([str(path)], [], 1).runs
        self.assertEqual({run.epochs for run in runs if run.variant == variant}, epochs)


class CompanionRecipeTest(parameterized.TestCase):
    @parameterized.parameters(*COMPANION)
    def test_decays_everything_and_corrupts_validation_labels(self, recipe):
        config.parse([GIN / recipe])
        self.assertEqual((Regularization().weight_decay, Regularization().decay), (1e-4, "all"))
        self.assertTrue(Randomization().randomize_test_labels)

    def test_the_perceptron_starts_from_normal_weights_without_biases(self):
        config.parse([GIN / "fitting_random_labels_mlp.gin"])
        model = models.mlp((32, 32, 3), 10)
        self.assertLen(model.weights, 2)
        for kernel in model.get_weights():
            np.testing.assert_allclose(kernel.std(), np.sqrt(2 / sum(kernel.shape)), rtol=0.05)
            self.assertGreater(abs(kernel).max(), 2.5 * kernel.std())

    def test_the_wide_resnet_drops_before_the_second_norm_and_its_logits_start_normal(self):
        config.parse([GIN / "fitting_random_labels_wrn.gin"], ["wide_resnet.depth = 10"])
        model = models.wide_resnet((32, 32, 3), 10, dropout=0.3)
        names = [layer.name for layer in model.layers]
        at = names.index("group_3_block_1_dropout")
        self.assertEqual(names[at + 1], "group_3_block_1_2_norm")
        kernel = model.get_layer("logits").get_weights()[0]  # [64, 10]
        np.testing.assert_allclose(kernel.std(), np.sqrt(2 / 74), rtol=0.15)
        self.assertGreater(abs(kernel).max(), 1.05 / 8)  # where the default's uniform distribution ends


class CommandsTest(parameterized.TestCase):
    """The commands in the headers of gin files parse."""

    def parse_flags(self, words):
        flags = [word.removeprefix("--gin_").partition("=") for word in words if word.startswith("--gin_")]
        files = [ROOT / value for name, _, value in flags if name == "file"]
        config.parse(files, [value for name, _, value in flags if name == "param"])

    @parameterized.named_parameters(
        (str(p.relative_to(GIN).with_suffix("")).replace("/", "_"), p) for p in sorted(GIN.rglob("*.gin"))
    )
    def test_commands_of_headers(self, path):
        text = path.read_text().replace("\\\n#", " ")
        commands = re.findall(r"^# .*?(bin/(?:train|kernel|minimum_norm|expressivity) .*)$", text, re.M)
        for command in commands:
            with self.subTest(command):
                self.parse_flags(shlex.split(command.partition("  (")[0]))


if __name__ == "__main__":
    absltest.main()
