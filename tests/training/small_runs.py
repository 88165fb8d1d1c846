"""Runs small enough for tests: MLPs on the embedded digits."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

import numpy as np

import rethink_keras
from rethink_keras import config
from rethink_keras.training import evaluation, train
from rethink_keras.training.callbacks import progress
from rethink_keras.training.callbacks.stop_training import StopTraining
from rethink_keras.training.callbacks.track_state import TrackState
from rethink_keras.training.config import RunConfig

SMALL = (
    "dataset.name = 'digits'",
    "dataset.train_examples = 300",
    "dataset.test_examples = 100",
    "train.model = @mlp",
    "mlp.hidden = '32'",
    "train.batch_size = 32",
    "train.learning_rate = 0.05",
    "train.epochs = 3",
    "train.tensorboard = False",
)

# Half a minute of small steps, with all that has a state: dropout, augmentation, a momentum, mid-epoch saves.
WITH_STATE = (
    *SMALL,
    "dataset.train_examples = 1438",
    "train.batch_size = 8",
    "train.epochs = 45",
    "train.steps_per_execution = 5",
    "randomization.labels = 'partially_corrupted'",
    "randomization.corruption = 0.5",
    "regularization.dropout = 0.2",
    "regularization.weight_decay = 1e-4",
    "augmentation.flip = True",
    "checkpoints.every_minutes = 0.003",
)


def run(workdir: Path, *bindings: str, gin_files: Sequence[Path] = (), **options) -> rethink_keras.Result:
    """Trains quietly, without gin files but with `SMALL` and more bindings."""
    with contextlib.redirect_stdout(io.StringIO()):
        return rethink_keras.run(gin_files, [*SMALL, *bindings], workdir, **options)


def paused(workdir: Path, after: int, *bindings: str) -> tuple[rethink_keras.Result, str]:
    """Trains as `run` does, pauses after so many epochs, and returns also what was printed."""
    config.parse([], [*SMALL, *bindings])
    try:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            return train.train(RunConfig.from_gin(), workdir=workdir, pause_after=after), out.getvalue()
    finally:
        config.clear()


@contextlib.contextmanager
def before_call(
    owner: object, name: str, action: Callable[[], object], when: Callable[..., bool] = lambda *_: True
):
    """Does `action` once, just before a function of the library is called and `when` of its arguments holds."""
    real, done = getattr(owner, name), []

    def wrapper(*args, **kwargs):
        if not done and when(*args):
            done.append(action())
        return real(*args, **kwargs)

    with mock.patch.object(owner, name, wrapper):
        yield


def send_sigterm() -> None:
    """Sends this process a real SIGTERM and waits until it has been noted."""
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(0.1)


def sigterm_at(step: int):
    """SIGTERM when a run's epoch has come to `step`."""

    def has_come(callback, *_):
        return callback.run.state.step >= step

    return before_call(StopTraining, "on_train_batch_end", send_sigterm, has_come)


def sigterm_in_evaluation():
    """SIGTERM when an epoch is being measured."""
    return before_call(evaluation, "evaluate", send_sigterm)


def sigterm_in_save():
    """SIGTERM when a checkpoint is being written."""
    return before_call(np, "savez", send_sigterm)


def sigterm_after_epoch():
    """SIGTERM when an epoch is measured and saved."""
    return before_call(progress, "epoch_line", send_sigterm)


def spoiled_weight(step: int):
    """NaN in a weight of the first kernel after so many steps of a run."""
    networks = []

    def has_come(callback, *_):
        networks[:] = [callback.model]
        return int(callback.model.optimizer.iterations) >= step

    def spoil():
        kernel = networks[0].trainable_weights[0]
        values = np.asarray(kernel).copy()
        values[0, 0] = np.nan
        kernel.assign(values)

    return before_call(TrackState, "on_train_batch_end", spoil, has_come)


def timeless(rows) -> list[dict]:
    """Rows without the column that differs from run to run."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]
