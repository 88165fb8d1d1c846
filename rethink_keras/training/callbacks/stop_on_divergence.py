"""The end of a run whose loss or weights are not finite."""

from __future__ import annotations

from rethink_keras.training.callbacks.run_callback import RunCallback
from rethink_keras.training.divergence import check_loss, check_weights


class StopOnDivergence(RunCallback):
    """Raises `DivergedError` for a loss after a step, or a weight after an epoch, that is not finite."""

    def on_train_batch_end(self, batch, logs=None):
        check_loss(self.run, float(logs["loss"]))

    def on_epoch_end(self, epoch, logs=None):
        if self.run.state.step == self.run.steps_per_epoch:
            check_weights(self.run)
