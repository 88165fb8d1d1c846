"""The row of an epoch in `metrics.csv`: losses and accuracies, and what the evaluators measure."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rethink_keras.data.batches import Batches
from rethink_keras.errors import UserError
from rethink_keras.training import evaluation
from rethink_keras.training.batch_statistics import MovingAverages
from rethink_keras.training.callbacks.run_callback import RunCallback
from rethink_keras.training.divergence import check_loss
from rethink_keras.training.evaluators.evaluator import Evaluator
from rethink_keras.training.progress_display import ProgressDisplay
from rethink_keras.training.run import Run
from rethink_keras.training.time_to_go import TimeToGo
from rethink_keras.workdir.columns import MetricsRow, check_row


class Evaluate(RunCallback):
    """Evaluates the network after an epoch, if it is due, and puts the row into the run's state.

    Args:
        run: The run.
        batch_norm: The statistics of batch normalization during the evaluation.
        evaluators: What is measured besides losses and accuracies.
        display: What shows the batches of the evaluation.
        time_to_go: The estimate that is shown beside them.

    Raises:
        Stopped: From `on_epoch_end`, if a stop was requested meanwhile. The state is that before the evaluation.
    """

    def __init__(
        self,
        run: Run,
        batch_norm: MovingAverages,
        evaluators: Sequence[Evaluator],
        display: ProgressDisplay,
        time_to_go: TimeToGo,
    ):
        super().__init__(run)
        self._batch_norm = batch_norm
        self._evaluators = evaluators
        self._display = display
        self._time_to_go = time_to_go

    def on_epoch_end(self, epoch, logs=None):
        run, state = self.run, self.run.state
        is_due = run.config.evaluation.due(epoch + 1, run.config.train.epochs)
        if state.step < run.steps_per_epoch or not is_due:
            return
        begin = time.perf_counter()
        state.add_versions(run.facts["versions"])
        if self._batch_norm.count:
            self._display.begin(f"{epoch + 1:03d}, recomputing batch norm", "batch", self._batch_norm.count)
        with self._batch_norm.for_evaluation(run.stop, self._show_batch):
            row = self._row(state.running or {})
            check_loss(run, row["train_loss"] + row["test_loss"])
            for evaluator in self._evaluators:
                _add(row, evaluator)
        state.seconds += time.perf_counter() - begin
        row["seconds"] = round(state.seconds, 3)
        state.row = row

    def _row(self, running: dict[str, float]) -> MetricsRow:
        run, options = self.run, self.run.config.evaluation
        train = evaluation.named_metrics(running)
        if options.train_metrics == "fixed_weights":
            train = self._evaluate(run.train, "training data")
        test = self._evaluate(run.test, "test data")
        first_step = run.state.epoch * run.steps_per_epoch
        return {
            "epoch": run.state.epoch + 1,
            "step": first_step + run.steps_per_epoch,
            **{f"train_{name}": value for name, value in train.items()},
            **{f"test_{name}": value for name, value in test.items()},
            "learning_rate": run.learning_rate(first_step),
            "seconds": 0.0,
            "train_metrics": options.train_metrics,
            "batch_norm": self._batch_norm.name,
            "running_loss": evaluation.cross_entropy(running),
            "running_accuracy": running["accuracy"],
            "penalty": evaluation.penalty(run.network),
        }

    def _show_batch(self, done: int) -> None:
        self._display.update(done, self._time_to_go.describe)

    def _evaluate(self, batches: Batches, name: str) -> dict[str, float]:
        run = self.run
        label = f"{run.state.epoch + 1:03d}, evaluating {name}"
        count = batches.steps(run.evaluation_batch_size)
        with self._display.of_evaluation(label, count, self._time_to_go.describe) as callback:
            return evaluation.evaluate(
                run.network, batches, run.evaluation_batch_size, run.stop, callbacks=[callback]
            )


def _add(row: MetricsRow, evaluator: Evaluator) -> None:
    """Adds an evaluator's values to a row.

    Raises:
        UserError: A column is there already.
        TypeError: A value cannot be written to `metrics.csv`.
    """
    values = evaluator.evaluate(row)
    check_row(values)
    if taken := sorted(set(values) & set(row)):
        raise UserError(
            f"The evaluator {type(evaluator).__name__} returns {taken[0]!r}, which is a column of metrics.csv "
            "already. Give it another name."
        )
    row.update(values)
