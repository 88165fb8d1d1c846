"""What a run shows while it trains."""

from __future__ import annotations

from rethink_keras.training.callbacks.run_callback import RunCallback
from rethink_keras.training.progress_display import ProgressDisplay
from rethink_keras.training.run import Run
from rethink_keras.training.time_to_go import TimeToGo
from rethink_keras.workdir.columns import MetricsRow


class ShowSteps(RunCallback):
    """Shows the steps of the epoch, with the running loss and the time to go.

    Args:
        run: The run.
        display: What shows them.
        time_to_go: The estimate; it is passed the steps.
    """

    def __init__(self, run: Run, display: ProgressDisplay, time_to_go: TimeToGo):
        super().__init__(run)
        self._display = display
        self._time_to_go = time_to_go

    def on_epoch_begin(self, epoch, logs=None):
        state = self.run.state
        self._display.begin(f"{epoch + 1:03d}", "step", self.run.steps_per_epoch, state.step)
        self._time_to_go.begin_steps()

    def on_train_batch_end(self, batch, logs=None):
        self._time_to_go.end_steps()

        def describe() -> str:
            loss = f"loss {float(logs['loss']):.4f}"
            return ", ".join(filter(None, [loss, self._time_to_go.describe()]))

        self._display.update(self.run.state.step, describe)
        if self.run.state.step == self.run.steps_per_epoch:
            self._display.end()  # before anything else is printed

    def on_epoch_end(self, epoch, logs=None):
        self._display.end()


class PrintEpoch(RunCallback):
    """Prints a line after each epoch, with the time to go.

    Args:
        run: The run.
        display: What prints it.
        time_to_go: The estimate; it is passed the end of the epoch.
    """

    def __init__(self, run: Run, display: ProgressDisplay, time_to_go: TimeToGo):
        super().__init__(run)
        self._display = display
        self._time_to_go = time_to_go

    def on_epoch_end(self, epoch, logs=None):
        if self.run.state.epoch == epoch:  # stopped in mid-epoch
            return
        row = self.run.state.finished_row(epoch)
        self._time_to_go.end_epoch(evaluated=row is not None)
        line = epoch_line(row) if row else unevaluated_epoch_line(epoch + 1, logs)
        self._display.say(", ".join(filter(None, [line, self._time_to_go.describe()])))


def epoch_line(row: MetricsRow) -> str:
    """Returns the line of an epoch as the companion code prints it, accuracies in percent."""
    return (
        f"{row['epoch']:03d}: Acc-tr: {100 * row['train_accuracy']:.2f}, "
        f"Acc-te: {100 * row['test_accuracy']:.2f}, L-tr: {row['train_loss']:.4f}, "
        f"L-te: {row['test_loss']:.4f}, lr: {row['learning_rate']:.4g}, {row['seconds']:.1f}s"
    )


def unevaluated_epoch_line(epoch: int, running: dict[str, float]) -> str:
    """Returns the line of an epoch that was not evaluated, with its running averages."""
    return (
        f"{epoch:03d}: not evaluated; running Acc-tr: {100 * running['accuracy']:.2f}, "
        f"L-tr: {running['loss']:.4f}"
    )
