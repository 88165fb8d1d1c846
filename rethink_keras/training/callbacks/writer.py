"""Writers: where else a run's metrics go, such as TensorBoard."""

from __future__ import annotations

import abc
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rethink_keras.data.pipeline import Pipeline
from rethink_keras.training.callbacks.first_batch import first_batch
from rethink_keras.training.callbacks.run_callback import RunCallback
from rethink_keras.training.evaluators.label_confusion import LabelConfusion
from rethink_keras.training.run import Run
from rethink_keras.workdir.columns import MetricsRow

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Writer(RunCallback, abc.ABC):
    """Writes or sends each evaluated epoch of a run, and changes nothing of it.

    Args:
        run: The run. The chief alone of several workers writes.
        hyperparameters: Numbers, words and truth values by name.
        confusion: Measures label confusion; None where it is not measured.
    """

    def __init__(self, run: Run, hyperparameters: dict[str, Any], confusion: LabelConfusion | None):
        super().__init__(run)
        self.hyperparameters = hyperparameters
        self._confusion = confusion

    @abc.abstractmethod
    def open(self, rows: Sequence[MetricsRow]) -> None:
        """Begins to write, before training.

        Args:
            rows: Those of the epochs that earlier calls of a resumed run have done.

        Raises:
            UserError: It cannot be written there.
        """

    @abc.abstractmethod
    def write(self, row: MetricsRow) -> None:
        """Writes an epoch, after it was saved."""

    @abc.abstractmethod
    def close(self, summary: dict[str, Any]) -> None:
        """Ends writing, however the run ends.

        Args:
            summary: As in `summary.json`. A run that was ended by an error has the status 'running'.
        """

    def confusion_after(self, row: MetricsRow) -> dict[str, tuple[float, Figure]]:
        """Returns accuracy and plot by kind of label confusion after a row's epoch; empty if it was not measured."""
        confusion = self._confusion and self._confusion.after(row["epoch"])
        if not confusion:
            return {}
        plots = confusion.plots(self.run.class_names, row["epoch"])
        return {kind: (accuracy, plots[kind]) for kind, accuracy in confusion.accuracies().items()}

    def first_batch(self) -> Figure | None:
        """Returns images of the first batch; None where they are streamed."""
        train = self.run.train
        return first_batch(train, self.run.config.train.batch_size) if isinstance(train, Pipeline) else None

    def on_epoch_end(self, epoch, logs=None):
        row = self.run.state.finished_row(epoch)
        if row is None:
            return
        with self.run.workers.barrier():
            if self.run.workers.is_chief:
                self.write(row)
