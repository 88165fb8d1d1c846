"""When training stops."""

from __future__ import annotations

import keras

from rethink_keras.training.run import Run


class StopTraining(keras.callbacks.Callback):
    """Ends `fit` after the execution in which a stop was requested, and after the run's last epoch.

    Args:
        run: The run.
    """

    def __init__(self, run: Run):
        super().__init__()
        self.run = run

    def on_train_batch_end(self, batch, logs=None):
        # After the last step the epoch is evaluated and saved first.
        if self.run.state.step < self.run.steps_per_epoch and self.run.stop:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        if self.run.has_ended or self.run.stop:
            self.model.stop_training = True
