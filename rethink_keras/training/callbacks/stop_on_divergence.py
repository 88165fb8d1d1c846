"""The end of a run whose loss or weights are not finite."""

from __future__ import annotations

import keras

from rethink_keras.training.divergence import DivergenceCheck
from rethink_keras.training.run import Run


class StopOnDivergence(keras.callbacks.Callback):
    """Raises `DivergedError` for a loss after a step, or a weight after an epoch, that is not finite.

    Args:
        run: The run.
        divergence: The check.
    """

    def __init__(self, run: Run, divergence: DivergenceCheck):
        super().__init__()
        self._run = run
        self._divergence = divergence

    def on_train_batch_end(self, batch, logs=None):
        self._divergence.check_loss(float(logs["loss"]))

    def on_epoch_end(self, epoch, logs=None):
        if self._run.state.step == self._run.steps_per_epoch:
            self._divergence.check_weights()
