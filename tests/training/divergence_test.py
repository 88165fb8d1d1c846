import math

from absl.testing import absltest

from rethink_keras.errors import DivergedError
from rethink_keras.training import divergence
from rethink_keras.training.checkpoints import Checkpoints
from rethink_keras.training.state import RunState
from tests.training.made_run import made_run, spoil


class DivergenceTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.run_ = made_run(self.create_tempdir(), state=RunState(epoch=2, step=3))

    def test_finite_values_pass(self):
        divergence.check_loss(self.run_, 1e300)
        divergence.check_weights(self.run_)

    def test_the_error_says_where_and_names_the_last_checkpoint(self):
        Checkpoints(self.run_.folder.checkpoints, []).save(RunState(epoch=2))
        with self.assertRaises(DivergedError) as caught:
            divergence.check_loss(self.run_, math.inf)
        for part in ("epoch 3", "step 3", "0.025", "train.learning_rate", "epoch-00002-step-0000000"):
            self.assertIn(part, caught.exception.sentence)
        where = divergence.position(self.run_)
        self.assertEqual((where["epoch"], where["step"]), (3, 3))
        self.assertAlmostEqual(where["learning_rate"], 0.025)

    def test_a_weight_is_named(self):
        spoil(self.run_.network)
        self.assertEqual(divergence.non_finite_weight(self.run_.network), "made/only/bias")
        with self.assertRaisesRegex(DivergedError, "only/bias"):
            divergence.check_weights(self.run_)


if __name__ == "__main__":
    absltest.main()
