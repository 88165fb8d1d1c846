from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.errors import UserError
from rethink_keras.experiments.searches.search import Search
from rethink_keras.training.config import TrainConfig
from tests.experiments.searches.small_searches import planned


class SearchTest(parameterized.TestCase):
    @parameterized.parameters(
        (
            "space.uniform = {'mlp.width': (1, 2)}",
            "mlp.width = 1, but mlp has no parameter 'width'",
        ),
        ("space.uniform = {'nobody.width': (1, 2)}", "there is no 'nobody'"),
        ("space.uniform = {'train.batch_size': (1.5, 2.5)}", "train.batch_size is 1.5, which does not fit."),
        ("space.choice = {'train.optimizer': ['sgd']}", "train.optimizer is 'sgd', which does not fit."),
        ("space.uniform = {'sgd.momentum': ('a', 'b')}", "space.uniform is"),
        ("search.objective = 'loss'", "search.objective is 'loss'. Choose one of 'train_accuracy'"),
        ("search.trials = 0", "search.trials is 0."),
        ("search.algorithm = @sgd", "search.algorithm is sgd, which is of another kind."),
        ("search.base = ['nowhere.gin']", "nowhere.gin"),
        ("search.base = []", "The trials have no network."),
    )
    def test_bad_searches(self, binding, sentence):
        folder = Path(self.create_tempdir())
        with self.assertRaises(UserError) as raised:
            planned(folder, binding)
        self.assertIn(sentence, raised.exception.sentence)

    def test_hyperbands_trials_are_evaluated_after_each_epoch(self):
        folder, rarely = Path(self.create_tempdir()), ("evaluation.every_epochs = 2",)
        hyperband = "search.algorithm = @hyperband"
        planned(folder, bindings=rarely)
        with self.assertRaisesRegex(UserError, "Leave evaluation.every_epochs out"):
            planned(folder, hyperband, bindings=rarely)
        with self.assertRaisesRegex(UserError, "Leave evaluation.every_epochs out"):
            planned(folder, hyperband, "space.integer = {'evaluation.every_epochs': (1, 2)}")

    def test_hyperband_varies_epochs_itself(self):
        with self.assertRaisesRegex(UserError, "train.epochs"):
            planned(
                Path(self.create_tempdir()),
                "search.algorithm = @hyperband",
                "space.integer = {'train.epochs': (2, 4)}",
            )

    def test_the_present_configuration_stays(self):
        plan = planned(Path(self.create_tempdir()), "search.seed = 5")
        plan.checked_run(plan.oracle.create_trial("w"))
        self.assertEqual(Search(), plan.search)
        self.assertEqual(Search().seed, 5)

    def test_the_run_of_a_trial(self):
        plan = planned(Path(self.create_tempdir()))
        trial = plan.oracle.create_trial("w")
        run = plan.checked_run(trial)
        self.assertEqual((run.name, run.epochs, plan.last_epoch(trial)), ("trials/0000", 3, 3))
        config.parse([], [*run.bindings, "train.seed = 0"])
        self.assertEqual(run.fingerprint, config.fingerprint())
        self.assertEqual(TrainConfig().learning_rate, float(plan.bindings(trial)["train.learning_rate"]))


if __name__ == "__main__":
    absltest.main()
