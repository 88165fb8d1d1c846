import contextlib
from pathlib import Path

import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.errors import UserError
from rethink_keras.experiments.planned_run import PlannedRun
from rethink_keras.experiments.planning import find_overlays, plan_run
from rethink_keras.training.config import TrainConfig
from tests.data.sources.tfds_set_test import MadeKmnist
from tests.training.small_runs import SMALL


def plan(*bindings):
    return plan_run(PlannedRun("a", "mlp", "plain", 7, (), (*SMALL, *bindings)))


class PlanRunTest(parameterized.TestCase):
    def test_the_cost_is_that_of_the_configuration(self):
        run = plan("train.epochs = 4")
        self.assertEqual((run.epochs, run.images), (4, 4 * 300))
        default = plan_run(PlannedRun("a", "mlp", "plain", 0, (), ("dataset.name = 'digits'",)))
        self.assertEqual(
            (default.epochs, default.images), (TrainConfig().epochs, TrainConfig().epochs * 1438)
        )

    def test_the_fingerprint_is_that_of_the_configuration_with_its_seed(self):
        config.parse([], [*SMALL, "train.seed = 7"])
        self.assertEqual(plan().fingerprint, config.fingerprint())

    def test_files_of_arrays_are_bound_by_absolute_paths(self):
        folder = Path(self.create_tempdir())
        arrays = {"images": np.zeros((40, 2, 2, 1), np.uint8), "labels": np.arange(40) % 2}
        np.savez(folder / "mine.npz", **arrays)
        bindings = (
            "dataset.name = 'arrays'",
            "dataset.train_examples = None",
            "arrays.train = 'mine.npz'",
            "arrays.test = 'mine.npz'",
        )
        with contextlib.chdir(folder):
            run = plan(*bindings, "train.epochs = 2")
        self.assertEqual(run.images, 2 * 40)
        self.assertEqual(plan(*run.bindings).fingerprint, run.fingerprint)  # in another folder
        self.assertIn(f"arrays.train = '{folder.resolve() / 'mine.npz'}'", run.bindings)
        with contextlib.chdir(self.create_tempdir()), self.assertRaisesRegex(UserError, "no file .*mine.npz"):
            plan(*bindings)

    def test_the_size_of_a_set_is_read_from_the_data_folder(self):
        MadeKmnist(data_dir=(folder := self.create_tempdir().full_path)).download_and_prepare()
        run = PlannedRun("a", "mlp", "plain", 7, (), ("dataset.name = 'made_kmnist'", "train.epochs = 3"))
        self.assertEqual(plan_run(run, folder).images, 3 * 40)

    def test_the_present_configuration_stays(self):
        config.parse([], ["train.epochs = 11"])
        before = config.resolved()
        plan("train.epochs = 4")
        with self.assertRaises(UserError):
            plan("train.epoch = 4")
        self.assertEqual(config.resolved(), before)
        self.assertEqual(TrainConfig().epochs, 11)

    @parameterized.parameters("train.epochs = 0", "dataset.train_examples = 0", "dataset.name = 'cifar'")
    def test_bad_values_are_told_by_name(self, binding):
        with self.assertRaises(UserError) as raised:
            plan(binding)
        self.assertIn(
            binding.split("'")[1] if "'" in binding else binding.split()[0], raised.exception.sentence
        )


class FindOverlaysTest(absltest.TestCase):
    def test_files_beside_the_commands_own_come_before_the_projects(self):
        folder = Path(self.create_tempdir())
        (folder / "quickstart.gin").write_text("")
        mixed = ["quickstart.gin", "train.epochs = 1", "with/random_crop.gin"]
        files, bindings = find_overlays(mixed, [str(folder / "sweep.gin")])
        self.assertEqual(files, (str((folder / "quickstart.gin").resolve()), "gin/with/random_crop.gin"))
        self.assertEqual(bindings, ("train.epochs = 1",))

    def test_a_missing_file_is_told(self):
        with self.assertRaisesRegex(UserError, "nothing.gin"):
            find_overlays(["nothing.gin"], [])


if __name__ == "__main__":
    absltest.main()
