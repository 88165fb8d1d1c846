"""When a run's checkpoints are saved."""

from __future__ import annotations

import time

import keras

from rethink_keras.training.checkpoints import Checkpoints
from rethink_keras.training.divergence import DivergenceCheck
from rethink_keras.training.run import Run


class SaveCheckpoint(keras.callbacks.Callback):
    """Finishes each epoch in the run's state, and saves checkpoints as `checkpoints.*` configures.

    Callbacks before it see an epoch whose steps are done, those after it a finished one. What they write can
    therefore never be ahead of the newest checkpoint by more than `checkpoints.every_epochs`.

    Args:
        run: The run.
        checkpoints: Its checkpoints.
        divergence: Checks the weights first, so that no checkpoint has a weight that is not finite.
    """

    def __init__(self, run: Run, checkpoints: Checkpoints, divergence: DivergenceCheck):
        super().__init__()
        self._run = run
        self._checkpoints = checkpoints
        self._divergence = divergence
        self._last_save = time.monotonic()

    def save(self) -> None:
        """Saves a checkpoint.

        Raises:
            DivergedError: A weight is not finite.
        """
        self._divergence.check_weights()
        self._checkpoints.save(self._run.state)
        self._last_save = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        if self._run.state.step < self._run.steps_per_epoch and self._is_due():
            self.save()

    def on_epoch_end(self, epoch, logs=None):
        state = self._run.state
        if state.step < self._run.steps_per_epoch:
            return
        state.finish_epoch()
        every_epochs = self._run.config.checkpoints.every_epochs
        if self._run.has_ended or state.epoch % every_epochs == 0 or self._is_due():
            self.save()

    def _is_due(self) -> bool:
        """Whether `checkpoints.every_minutes` have passed, by the chief's clock."""
        seconds = self._run.config.checkpoints.every_minutes * 60
        passed = time.monotonic() - self._last_save
        return bool(seconds) and bool(self._run.workers.broadcast(passed >= seconds))
