import math

from absl.testing import absltest

from rethink_keras.errors import DivergedError
from rethink_keras.training.checkpoints import Checkpoints
from rethink_keras.training.divergence import DivergenceCheck, non_finite_weight
from rethink_keras.training.state import RunState
from tests.training.made_run import made_run, spoil


class DivergenceCheckTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.run_ = made_run(self.create_tempdir(), state=RunState(epoch=2, step=3))
        self.checkpoints = Checkpoints(self.run_.folder.checkpoints, [])
        self.check = DivergenceCheck(self.run_, self.checkpoints)

    def test_finite_values_pass(self):
        self.check.check_loss(1e300)
        self.check.check_weights()
        self.assertIsNone(self.check.where)

    def test_the_error_says_where_and_names_the_last_checkpoint(self):
        self.checkpoints.save(RunState(epoch=2))
        with self.assertRaises(DivergedError) as caught:
            self.check.check_loss(math.inf)
        for part in ("epoch 3", "step 3", "0.025", "train.learning_rate", "epoch-00002-step-0000000"):
            self.assertIn(part, caught.exception.sentence)
        where = self.check.where
        self.assertEqual((where["epoch"], where["step"]), (3, 3))
        self.assertAlmostEqual(where["learning_rate"], 0.025)

    def test_a_weight_is_named(self):
        spoil(self.run_.network)
        self.assertEqual(non_finite_weight(self.run_.network), "made/only/bias")
        with self.assertRaisesRegex(DivergedError, "only/bias"):
            self.check.check_weights()


if __name__ == "__main__":
    absltest.main()
