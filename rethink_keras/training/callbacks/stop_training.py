"""When training stops."""

from __future__ import annotations

from rethink_keras.training.callbacks.run_callback import RunCallback


class StopTraining(RunCallback):
    """Ends `fit` after the execution in which a stop was requested, and after the run's last epoch."""

    def on_train_batch_end(self, batch, logs=None):
        # After the last step the epoch is evaluated and saved first.
        if self.run.state.step < self.run.steps_per_epoch and self.run.stop:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        if self.run.has_ended or self.run.stop:
            self.model.stop_training = True
