from absl.testing import absltest

from rethink_keras import config
from rethink_keras.training.config import RunConfig
from rethink_keras.training.data import resolve_regularization
from rethink_keras.training.hyperparameters import hyperparameters


class HyperparametersTest(absltest.TestCase):
    def test_bound_usual_and_resolved_values_but_none_of_the_bookkeeping(self):
        config.parse(
            [], ["train.model = @mlp", "mlp.hidden = '8'", "checkpoints.keep_last = 9", "adam.beta_1 = 0.5"]
        )
        run_config = RunConfig.from_gin()
        found = hyperparameters(run_config.train, resolve_regularization(run_config))
        expected = {
            "train.model": "mlp",
            "train.epochs": 69,
            "train.optimizer": "sgd",
            "train.schedule": "exponential",
            "regularization.weight_decay": 1e-4,
        }
        self.assertEqual({name: found.get(name) for name in expected}, expected)
        self.assertEmpty({"checkpoints.keep_last", "adam.beta_1"} & set(found))


if __name__ == "__main__":
    absltest.main()
