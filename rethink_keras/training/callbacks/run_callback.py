"""Callbacks that know their run, and the registry of those that a gin file can name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras

from rethink_keras.registry import Registry, subclass_of

if TYPE_CHECKING:
    from rethink_keras.training.run import Run


class RunCallback(keras.callbacks.Callback):
    """A Keras callback that knows its run. `train.callbacks = ('name',)` in a gin file adds a registered one.

    It is called after the epoch was evaluated, saved and written: in `on_epoch_end`, `run.state.rows[-1]` is the last
    evaluated row, and `run.state.finished_row(epoch)` that of this epoch, or None if training stopped in mid-epoch.

        @CALLBACKS.register("print_penalty")
        class PrintPenalty(RunCallback):
            def on_epoch_end(self, epoch, logs=None):
                print(self.run.state.rows[-1]["penalty"])

    Args:
        run: The run.
    """

    def __init__(self, run: Run):
        super().__init__()
        self.run = run


CALLBACKS: Registry[type[RunCallback]] = Registry("callback", subclass_of(RunCallback))
