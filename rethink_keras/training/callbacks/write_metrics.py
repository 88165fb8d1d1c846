"""`metrics.csv` and `summary.json` after each epoch."""

from __future__ import annotations

from rethink_keras.training.callbacks.run_callback import RunCallback
from rethink_keras.training.run import Run
from rethink_keras.training.summary import RunSummary


class WriteMetrics(RunCallback):
    """Writes `metrics.csv` and `summary.json` after each evaluated epoch.

    Args:
        run: The run.
        summary: Its summary.
    """

    def __init__(self, run: Run, summary: RunSummary):
        super().__init__(run)
        self._summary = summary

    def on_epoch_end(self, epoch, logs=None):
        if self.run.state.finished_row(epoch) is None:
            return
        with self.run.workers.barrier():
            self.run.folder.write_metrics(self.run.state.rows)
            self._summary.write("running")
