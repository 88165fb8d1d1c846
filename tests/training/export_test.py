"""`model.keras` is whole and on disk, or not there."""

import os
from pathlib import Path
from unittest import mock

import keras
from absl.testing import absltest

from rethink_keras.errors import DiskError
from rethink_keras.training.export import save_plain
from tests.training.small_runs import run


class SavePlainTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())

    def test_a_disk_that_fails_leaves_nothing(self):
        pixels = keras.Input((2,))
        network = keras.Model(pixels, keras.layers.Dense(1)(pixels))
        with mock.patch.object(os, "fsync", side_effect=OSError), self.assertRaises(OSError):
            save_plain(network, self.folder / "model.keras")
        self.assertEmpty(list(self.folder.iterdir()))

    def test_a_run_is_not_done_before_it_is_written(self):
        with (
            mock.patch.object(keras.Model, "save", side_effect=OSError(28, "No space left")),
            self.assertRaises(DiskError),
        ):
            run(self.folder, "train.epochs = 1")
        self.assertNotIn('"done"', (self.folder / "summary.json").read_text())
        self.assertEqual(run(self.folder, "train.epochs = 1").summary["status"], "done")
        self.assertTrue((self.folder / "model.keras").exists())

    def test_a_run_saves_keras_own_layers(self):
        bindings = ("train.model = @wide_resnet", "wide_resnet.depth = 10", "dataset.train_examples = 128")
        run(self.folder, *bindings, "train.epochs = 1")
        saved = keras.saving.load_model(self.folder / "model.keras")
        norms = [layer for layer in saved.layers if isinstance(layer, keras.layers.BatchNormalization)]
        self.assertEqual({type(layer) for layer in norms}, {keras.layers.BatchNormalization})
        self.assertFalse(saved.compiled)


if __name__ == "__main__":
    absltest.main()
