from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from tests.experiments.searches.small_searches import planned


class AlgorithmsTest(parameterized.TestCase):
    def oracle(self, algorithm, *params):
        return planned(Path(self.create_tempdir()), f"search.algorithm = @{algorithm}", *params).oracle

    @parameterized.parameters("random_search", "bayesian")
    def test_every_trial_costs_a_whole_run(self, algorithm):
        self.assertEqual(self.oracle(algorithm).costs(7), [7] * 3)

    def test_hyperbands_trials_cost_the_epochs_that_they_add(self):
        self.assertEqual(self.oracle("hyperband").costs(3), [1, 1, 1, 2, 3, 3])

    @parameterized.parameters("random_search", "bayesian", "hyperband")
    def test_seeds_propose_other_trials(self, algorithm):
        first, again, other = (
            self.oracle(algorithm, f"search.seed = {seed}").create_trial("w").hyperparameters.values
            for seed in (0, 0, 1)
        )
        self.assertEqual(first, again)
        self.assertNotEqual(first["train.learning_rate"], other["train.learning_rate"])

    @parameterized.parameters(
        ("hyperband", "hyperband.factor = 1"),
        ("hyperband", "hyperband.factor = 100"),
        ("hyperband", "hyperband.iterations = 0"),
        ("bayesian", "bayesian.random_trials = 0"),
        ("bayesian", "bayesian.exploration = -1"),
    )
    def test_bad_bindings_are_told_by_name(self, algorithm, binding):
        with self.assertRaisesRegex(UserError, binding.split()[0]):
            self.oracle(algorithm, binding)


if __name__ == "__main__":
    absltest.main()
