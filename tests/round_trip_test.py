"""Export, change the labels with NumPy, train on the files: a round trip through the commands."""

import contextlib
import gzip
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
from absl.testing import absltest

from rethink_keras import config
from rethink_keras.commands import data
from rethink_keras.data.sources.arrays import Arrays
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


class DocumentedTest(absltest.TestCase):
    """The Python of the page on data."""

    def test_idx_files_and_shifted_labels(self):
        folder = Path(self.create_tempdir())
        images = np.random.default_rng(0).integers(0, 256, (30, 28, 28), dtype=np.uint8)
        for name in ("train", "t10k"):
            for kind, dims, array in (
                ("images", 3, images),
                ("labels", 1, np.arange(30, dtype=np.uint8) % 10),
            ):
                head = bytes([0, 0, 8, dims]) + np.array(array.shape, ">i4").tobytes()
                file = folder / f"{name}-{kind}-idx{dims}-ubyte.gz"
                file.write_bytes(gzip.compress(head + array.tobytes(), 1))
        page = (ROOT / "docs" / "data_and_randomization.md").read_text()
        shift, idx = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
        with contextlib.chdir(folder):
            exec(idx, {})
            read = Arrays("arrays", "train.npz", "test.npz").open("train", None, None)
            np.testing.assert_array_equal(read.images[..., 0], images)
            self.assertEqual(read.labels.tolist(), [*range(10)] * 3)
            self.assertLen(read.class_names, 10)
            names = [str(k) for k in range(10)]
            np.savez("train.npz", images=read.images, labels=read.labels, class_names=np.array(names))
            exec(shift, {})
            read = Arrays("arrays", "train.npz", "test.npz").open("train", None, None)
        self.assertEqual(read.labels.tolist(), [*range(1, 10), 0] * 3)


if __name__ == "__main__":
    absltest.main()
