from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.errors import UserError
from rethink_keras.experiments.planned_run import PlannedRun
from rethink_keras.experiments.planning import find_overlays, plan_run
from rethink_keras.training.config import TrainConfig
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
