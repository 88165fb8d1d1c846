import math

from absl.testing import absltest

from rethink_keras.errors import DivergedError
from rethink_keras.training.callbacks.stop_on_divergence import StopOnDivergence
from rethink_keras.training.state import RunState
from tests.training.made_run import STEPS, made_run, spoil


class StopOnDivergenceTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.run_ = made_run(self.create_tempdir(), state=RunState(epoch=1, step=3))
        self.callback = StopOnDivergence(self.run_)

    def test_the_loss_is_checked_after_each_batch(self):
        self.callback.on_train_batch_end(0, {"loss": 1e30})
        for loss in (math.nan, math.inf):
            with self.assertRaisesRegex(DivergedError, "epoch 2 at step 3"):
                self.callback.on_train_batch_end(0, {"loss": loss})

    def test_weights_are_checked_after_whole_epochs(self):
        spoil(self.run_.network)
        self.callback.on_epoch_end(1)
        self.run_.state.step = STEPS
        with self.assertRaisesRegex(DivergedError, "bias"):
            self.callback.on_epoch_end(1)


if __name__ == "__main__":
    absltest.main()
