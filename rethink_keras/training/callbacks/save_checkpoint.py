"""When a run's checkpoints are saved."""

from __future__ import annotations

import time

from rethink_keras.training.callbacks.run_callback import RunCallback
from rethink_keras.training.checkpoints import Checkpoints
from rethink_keras.training.divergence import check_weights
from rethink_keras.training.run import Run


class SaveCheckpoint(RunCallback):
    """Finishes each epoch in the run's state, and saves checkpoints as `checkpoints.*` configures.

    Callbacks before it see an epoch whose steps are done, those after it a finished one. What they write can
    therefore never be ahead of the newest checkpoint by more than `checkpoints.every_epochs`.

    Args:
        run: The run.
        checkpoints: Its checkpoints.
    """

    def __init__(self, run: Run, checkpoints: Checkpoints):
        super().__init__(run)
        self._checkpoints = checkpoints
        self._last_save = time.monotonic()

    def save(self) -> None:
        """Saves a checkpoint, in which every weight is finite.

        Raises:
            DivergedError: A weight is not finite.
        """
        check_weights(self.run)
        self._checkpoints.save(self.run.state)
        self._last_save = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        if self.run.state.step < self.run.steps_per_epoch and self._is_due():
            self.save()

    def on_epoch_end(self, epoch, logs=None):
        state = self.run.state
        if state.step < self.run.steps_per_epoch:
            return
        state.finish_epoch()
        every_epochs = self.run.config.checkpoints.every_epochs
        if self.run.has_ended or state.epoch % every_epochs == 0 or self._is_due():
            self.save()

    def _is_due(self) -> bool:
        """Whether `checkpoints.every_minutes` have passed, by the chief's clock."""
        seconds = self.run.config.checkpoints.every_minutes * 60
        passed = time.monotonic() - self._last_save
        return bool(seconds) and bool(self.run.workers.broadcast(passed >= seconds))
