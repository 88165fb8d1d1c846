"""Export, change the labels with NumPy, train on the files: a round trip through the commands."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
from absl.testing import absltest

from rethink_keras import config
from rethink_keras.commands import data
from rethink_keras.errors import UserError
from tests.commands.in_process import main, small
from tests.data.helpers import digits_elsewhere
from tests.training.small_runs import paused, run, timeless

ROOT = Path(__file__).parents[1]
RANDOM = "randomization.labels = 'random'"


class RoundTripTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        digits_elsewhere(cls)

    def setUp(self):
        super().setUp()
        self.addCleanup(config.clear)
        self.folder = Path(self.create_tempdir())

    def export(self, *bindings):
        """Exports both splits of the small runs; returns bindings that train on the files."""
        for split in ("train", "test"):
            output = self.folder / f"{split}.npz"
            code, _, err = main(data, "export", *small(*bindings), f"--split={split}", f"--output={output}")
            self.assertEqual((code, err), (0, ""))
        return (
            "dataset.name = 'arrays'",
            *(f"arrays.{split} = '{self.folder / split}.npz'" for split in ("train", "test")),
        )

    def change(self, split, **changes):
        """Changes arrays of a file as any user of NumPy would; returns all of them."""
        file = self.folder / f"{split}.npz"
        arrays = dict(np.load(file))
        for name, change in changes.items():
            arrays[name] = change(arrays[name])
        np.savez(file, **arrays)
        return arrays

    def test_training_on_the_files_is_training_on_the_randomized_set(self):
        files = self.export(RANDOM)
        shown = "train.tensorboard = True"
        direct, read = run(self.folder / "direct", RANDOM, shown), run(self.folder / "read", *files, shown)
        self.assertEqual(timeless(read.history), timeless(direct.history))
        weights = [result.summary["fingerprints"]["weights"] for result in (direct, read)]
        self.assertEqual(*weights)
        self.assertEqual(read.summary["dataset"], "arrays")
        # The files say which labels were drawn, and so label confusion is the same, too.
        confusions = [(result.workdir / "confusion.json").read_text() for result in (direct, read)]
        self.assertEqual(*confusions)
        self.assertNotEmpty(json.loads(confusions[0]))

    def test_labels_shifted_by_one(self):
        self.export(RANDOM)
        for split in ("train", "test"):
            shifted = self.change(split, labels=lambda labels: (labels + 1) % 10)
        shifted = self.change("train")
        bindings = ("dataset.name = 'arrays'", "arrays.train = 'train.npz'", "arrays.test = 'test.npz'")
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
        ran = subprocess.run(
            [
                sys.executable,
                ROOT / "bin" / "train",
                *small(*bindings, "train.epochs = 60"),
                "--workdir=mine",
            ],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertIn("not configured: arrays has no defaults", ran.stdout)
        summary = json.loads((self.folder / "mine" / "summary.json").read_text())
        images = shifted["images"].astype(np.float32) / 255
        images -= images.mean((1, 2, 3), keepdims=True)
        images /= images.std((1, 2, 3), keepdims=True)
        network = keras.models.load_model(self.folder / "mine" / "model.keras", compile=False)
        predicted = network.predict(images, verbose=0).argmax(axis=1)
        accuracy = np.mean(predicted == shifted["labels"])
        self.assertAlmostEqual(accuracy, summary["final"]["train_accuracy"], delta=0.01)
        self.assertGreater(accuracy, 0.5)  # it memorizes the shifted labels, not those before
        self.assertLess(np.mean((predicted + 9) % 10 == shifted["labels"]), 0.2)

    def test_a_run_is_not_resumed_with_a_changed_file(self):
        files = self.export()
        paused(self.folder / "run", 1, *files)
        before = (self.folder / "train.npz").read_bytes()
        self.change("train", labels=lambda labels: (labels + 1) % 10)
        with self.assertRaisesRegex(UserError, "other data"):
            run(self.folder / "run", *files)
        (self.folder / "train.npz").write_bytes(before)
        self.assertEqual(run(self.folder / "run", *files).summary["status"], "done")


if __name__ == "__main__":
    absltest.main()
