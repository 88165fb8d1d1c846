"""What a run shows on the terminal."""

from __future__ import annotations

import sys

from tqdm import tqdm

from rethink_keras.training.callbacks.run_callback import RunCallback
from rethink_keras.training.run import Run
from rethink_keras.workdir.columns import MetricsRow


class ProgressBar(RunCallback):
    """Shows a bar of the epoch's steps, on a terminal only.

    Args:
        run: The run.
    """

    def __init__(self, run: Run):
        super().__init__(run)
        self._bar: tqdm | None = None

    def on_epoch_begin(self, epoch, logs=None):
        self._bar = tqdm(
            total=self.run.steps_per_epoch,
            initial=self.run.state.step,
            desc=f"{epoch + 1:03d}",
            unit="step",
            leave=False,
            file=sys.stdout,
            disable=None,
            dynamic_ncols=True,
        )

    def on_train_batch_end(self, batch, logs=None):
        assert self._bar is not None
        self._bar.set_postfix_str(f"loss {float(logs['loss']):.4f}", refresh=False)
        self._bar.update(self.run.state.step - self._bar.n)
        if self.run.state.step == self.run.steps_per_epoch:
            self._bar.close()  # before anything else is printed

    def on_epoch_end(self, epoch, logs=None):
        if self._bar is not None:
            self._bar.close()


class PrintEpoch(RunCallback):
    """Prints a line after each epoch."""

    def on_epoch_end(self, epoch, logs=None):
        if self.run.state.epoch == epoch:  # stopped in mid-epoch
            return
        row = self.run.state.finished_row(epoch)
        print(epoch_line(row) if row else unevaluated_epoch_line(epoch + 1, logs), flush=True)


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
