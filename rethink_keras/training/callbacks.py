"""Keras callbacks of a run: the epoch's data, progress on the terminal, the record, checkpoints."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

import keras
import numpy as np
from tqdm import tqdm

from rethink_keras.data.batches import Batches
from rethink_keras.system.signals import StopRequest
from rethink_keras.training.state import Row, RunState


class EpochData(keras.callbacks.Callback):
    """Settles the order and augmentation of an epoch before its first batch is read."""

    def __init__(self, pipeline: Batches):
        super().__init__()
        self._pipeline = pipeline

    def on_epoch_begin(self, epoch, logs=None):
        self._pipeline.set_epoch(epoch)


class Recorder(keras.callbacks.Callback):
    """Keeps `RunState` in step with training and saves it when it is time.

    Args:
        state: changed in place.
        steps: of an epoch.
        steps_per_batch: that one of Keras's batches stands for, see `Feed`.
        finish_epoch: called with the running averages when an epoch's last step is done; measures, writes the
            row and tells whether training ends here.
        save_if_due: writes a checkpoint in mid-epoch if it is time.
        stop: ends training after the present execution.
        metrics: whose running sums go on in mid-epoch; their restored values are put back after Keras resets
            them at the beginning of an epoch.
    """

    def __init__(
        self,
        state: RunState,
        steps: int,
        steps_per_batch: int,
        finish_epoch: Callable[[dict[str, float]], bool],
        save_if_due: Callable[[], object],
        stop: StopRequest,
        metrics: list[keras.metrics.Metric],
    ):
        super().__init__()
        self.diverged = False
        self._state = state
        self._steps = steps
        self._steps_per_batch = steps_per_batch
        self._finish_epoch = finish_epoch
        self._save_if_due = save_if_due
        self._stop = stop
        variables = [v for metric in metrics for v in metric.variables]
        self._restored = [(v, np.asarray(v)) for v in variables] if state.step else []

    def on_epoch_begin(self, epoch, logs=None):
        for variable, value in self._restored:
            variable.assign(value)
        self._restored = []
        self._first_step = self._state.step
        self._begin = time.perf_counter()
        self._seconds_before = self._state.seconds

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        self._state.step = self.step_after(batch)
        self._state.seconds = self._seconds_before + now - self._begin
        if not math.isfinite(float(logs["loss"])):
            self.diverged = self.model.stop_training = True
        elif self._state.step == self._steps:
            return  # the end of the epoch saves
        elif self._stop:
            self.model.stop_training = True
        else:
            self._save_if_due()

    def step_after(self, batch: int) -> int:
        """The step of the epoch that one of Keras's batches, counted from 0, comes to."""
        # Keras counts in whole executions, and the last of an epoch may be shorter.
        return min(self._first_step + (batch + 1) * self._steps_per_batch, self._steps)

    def on_epoch_end(self, epoch, logs=None):
        if not self.diverged and self._state.step == self._steps:
            self._state.running = {name: float(value) for name, value in logs.items()}
            self.model.stop_training = self._finish_epoch(self._state.running)


class ProgressBar(keras.callbacks.Callback):
    """A bar of the epoch's steps, on a terminal only; to be called after the `Recorder` of the same state."""

    def __init__(self, state: RunState, steps: int):
        super().__init__()
        self._state = state
        self._steps = steps

    def on_epoch_begin(self, epoch, logs=None):
        self._bar = tqdm(
            total=self._steps,
            initial=self._state.step,
            desc=f"{epoch + 1:03d}",
            unit="step",
            leave=False,
            file=sys.stdout,
            disable=None,
            dynamic_ncols=True,
        )

    def on_train_batch_end(self, batch, logs=None):
        self._bar.set_postfix_str(f"loss {float(logs['loss']):.4f}", refresh=False)
        self._bar.update(self._state.step - self._bar.n)
        if self._state.step == self._steps:
            self._bar.close()  # before the epoch's line is printed

    def on_epoch_end(self, epoch, logs=None):
        self._bar.close()


def unmeasured_epoch_line(epoch: int, running: dict[str, float]) -> str:
    """What the running averages of an epoch were after which nothing was measured."""
    return f"{epoch:03d}: not measured; running Acc-tr: {100 * running['accuracy']:.2f}, L-tr: {running['loss']:.4f}"


def epoch_line(row: Row) -> str:
    """One epoch as the companion code prints it, accuracies in percent."""
    return (
        f"{row['epoch']:03d}: Acc-tr: {100 * row['train_accuracy']:.2f}, "
        f"Acc-te: {100 * row['test_accuracy']:.2f}, L-tr: {row['train_loss']:.4f}, "
        f"L-te: {row['test_loss']:.4f}, lr: {row['learning_rate']:.4g}, {row['seconds']:.1f}s"
    )
