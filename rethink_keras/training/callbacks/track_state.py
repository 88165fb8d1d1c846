"""The position of a run, kept up to date while it trains."""

from __future__ import annotations

import time
from collections.abc import Sequence

import keras
import numpy as np

from rethink_keras.training.callbacks.run_callback import RunCallback
from rethink_keras.training.run import Run


class TrackState(RunCallback):
    """Keeps the step, the seconds and the running averages in the run's state.

    Args:
        run: The run; its state is changed.
        steps_per_batch: Steps of what Keras counts as one batch, see `BatchSource`.
        metrics: The network's metrics. Those of a run that resumes in mid-epoch have their restored values.
    """

    def __init__(self, run: Run, steps_per_batch: int, metrics: Sequence[keras.metrics.Metric]):
        super().__init__(run)
        self._steps_per_batch = steps_per_batch
        variables = [variable for metric in metrics for variable in metric.variables]
        self._restored = [(v, np.asarray(v)) for v in variables] if run.state.step else []

    def on_epoch_begin(self, epoch, logs=None):
        self.run.state.add_versions(self.run.facts["versions"])
        # Keras has just reset its metrics. An epoch that resumes in the middle continues their sums.
        for variable, value in self._restored:
            variable.assign(value)
        self._restored = []
        self._first_step = self.run.state.step
        self._begin = time.perf_counter()
        self._seconds_before = self.run.state.seconds

    def on_train_batch_end(self, batch, logs=None):
        state = self.run.state
        # Keras counts in whole executions, and the last of an epoch may be shorter.
        state.step = min(self._first_step + (batch + 1) * self._steps_per_batch, self.run.steps_per_epoch)
        state.seconds = self._seconds_before + time.perf_counter() - self._begin

    def on_epoch_end(self, epoch, logs=None):
        if self.run.state.step == self.run.steps_per_epoch:
            self.run.state.running = {name: float(value) for name, value in logs.items()}
