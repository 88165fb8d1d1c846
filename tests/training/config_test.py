from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.errors import UserError
from rethink_keras.training.config import RunConfig, TrainConfig, WandbRun


class TrainConfigTest(parameterized.TestCase):
    @parameterized.parameters(
        {"epochs": 0},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"seed": -1},
        {"strategy": "tpu"},
        {"precision": "int8"},
        {"steps_per_execution": 0},
        {"schedule": print},
        {"optimizer": lambda: None},
        {"initialization": lambda: None},
        {"model": len},
        {"callbacks": ("nothing",)},
    )
    def test_checks_itself_and_names_the_parameter(self, **value):
        with self.assertRaisesRegex(UserError, f"^train.{next(iter(value))} is"):
            TrainConfig(**value)

    def test_a_network_must_be_configured(self):
        with self.assertRaisesRegex(UserError, "train.model"):
            _ = TrainConfig().network


class RunConfigTest(absltest.TestCase):
    def test_is_constructed_from_gin_once(self):
        config.parse([], ["train.seed = 3", "dataset.name = 'digits'", "checkpoints.keep_last = 5"])
        made = RunConfig.from_gin("/data")
        config.clear()
        self.assertEqual((made.train.seed, made.randomization.seed, made.splits.seed), (3, 3, 3))
        self.assertEqual(made.checkpoints.keep_last, 5)
        self.assertEqual(made.dataset.data_dir, "/data")
        self.assertIs(made.splits, made.splits)
        self.assertIsNone(made.wandb)

    def test_weights_and_biases_only_if_requested(self):
        config.parse([], ["train.wandb = True", "wandb.name = 'first'"])
        self.assertEqual(RunConfig.from_gin().wandb, WandbRun(name="first"))


if __name__ == "__main__":
    absltest.main()
