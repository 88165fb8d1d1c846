from absl.testing import absltest

from rethink_keras.training.state import RunState
from tests.training.made_run import ROW, STEPS, made_run


class RunTest(absltest.TestCase):
    def test_ends_with_its_last_epoch_or_when_it_fits(self):
        run = made_run(self.create_tempdir(), "train.epochs = 3", "evaluation.stop_when = 'fit_accuracy'")
        self.assertFalse(run.has_ended)
        self.assertFalse(run.ends_after(ROW))
        self.assertTrue(run.ends_after({**ROW, "epoch": 3}))
        self.assertTrue(run.ends_after({**ROW, "train_accuracy": 1.0}))
        ended = made_run(self.create_tempdir(), "train.epochs = 1", state=RunState(epoch=1, rows=[ROW]))
        self.assertTrue(ended.has_ended)

    def test_steps_and_rates_are_those_of_the_configuration(self):
        run = made_run(self.create_tempdir())
        self.assertEqual(run.steps_per_epoch, STEPS)
        self.assertAlmostEqual(run.learning_rate(0), 0.1)
        self.assertAlmostEqual(run.learning_rate(2 * STEPS), 0.025)


if __name__ == "__main__":
    absltest.main()
