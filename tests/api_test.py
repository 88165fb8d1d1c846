"""What `rethink_keras.run` does."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest import mock

from absl.testing import absltest

import rethink_keras
from rethink_keras import api, config
from rethink_keras.errors import UserError
from rethink_keras.system import nvidia

SEED = ["train.seed = 3"]


class RunTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        # Training itself has tests of its own: here it returns the configuration that it was given.
        self.enterContext(mock.patch.object(api, "train", lambda run, **options: (run.train.seed, options)))
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.file = folder / "small.gin"
        self.file.write_text("train.seed = 1\ntrain.epochs = 2\n")

    def test_trains_the_configuration_of_the_files_and_the_bindings_over_them(self):
        self.assertEqual(rethink_keras.run([self.file])[0], 1)
        self.assertEqual(rethink_keras.run([self.file], SEED)[0], 3)

    def test_writes_to_the_workdir(self):
        _, options = rethink_keras.run([self.file], workdir="runs/mine", overwrite=True)
        self.assertEqual(options, {"workdir": "runs/mine", "overwrite": True})

    def test_names_the_workdir_after_the_files(self):
        _, options = rethink_keras.run([self.file])
        self.assertEqual(options, {"workdir": Path("runs/small"), "overwrite": False})

    def test_loads_what_tensorflow_does_not_find_of_cuda_where_there_is_a_driver(self):
        for is_installed in (False, True):
            with (
                mock.patch.object(nvidia.Driver, "is_installed", is_installed),
                mock.patch.object(nvidia, "preload_cusolver") as preload,
            ):
                rethink_keras.run([self.file])
            self.assertEqual(preload.called, is_installed)

    def test_leaves_no_configuration_behind(self):
        rethink_keras.run([self.file])
        self.assertEqual(config.resolved(), "")
        with mock.patch.object(api, "train", side_effect=UserError("Stopped.")), self.assertRaises(UserError):
            rethink_keras.run([self.file])
        self.assertEqual(config.resolved(), "")

    def test_the_package_has_no_other_lazy_names(self):
        self.assertIs(rethink_keras.Result, api.Result)
        with self.assertRaisesRegex(AttributeError, "no attribute 'walk'"):
            rethink_keras.walk  # noqa: B018


if __name__ == "__main__":
    absltest.main()
