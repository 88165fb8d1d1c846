"""`metrics.csv` and `summary.json` after each epoch."""

from __future__ import annotations

import keras

from rethink_keras.training.run import Run
from rethink_keras.training.summary import RunSummary


class WriteMetrics(keras.callbacks.Callback):
    """Writes `metrics.csv` and `summary.json` after each evaluated epoch.

    Args:
        run: The run.
        summary: Its summary.
    """

    def __init__(self, run: Run, summary: RunSummary):
        super().__init__()
        self._run = run
        self._summary = summary

    def on_epoch_end(self, epoch, logs=None):
        if self._run.state.finished_row(epoch) is None:
            return
        with self._run.workers.barrier():
            self._run.folder.write_metrics(self._run.state.rows)
            self._summary.write("running")
