"""`model.keras` is whole and on disk, or not there."""

import os
from unittest import mock

import keras
from absl.testing import absltest

from rethink_keras.errors import DiskError
from rethink_keras.training.export import save_plain
from tests.training.small_runs import new_folder, run


class SavePlainTest(absltest.TestCase):
    def test_a_disk_that_fails_leaves_nothing(self):
        pixels = keras.Input((2,))
        network = keras.Model(pixels, keras.layers.Dense(1)(pixels))
        with new_folder() as folder:
            with mock.patch.object(os, "fsync", side_effect=OSError), self.assertRaises(OSError):
                save_plain(network, folder / "model.keras")
            self.assertEmpty(list(folder.iterdir()))

    def test_a_run_is_not_done_before_it_is_written(self):
        with new_folder() as folder:
            with (
                mock.patch.object(keras.Model, "save", side_effect=OSError(28, "No space left")),
                self.assertRaises(DiskError),
            ):
                run(folder, "train.epochs = 1")
            self.assertNotIn('"done"', (folder / "summary.json").read_text())
            self.assertEqual(run(folder, "train.epochs = 1").summary["status"], "done")
            self.assertTrue((folder / "model.keras").exists())


if __name__ == "__main__":
    absltest.main()
