"""Runs small enough for tests: MLPs on the embedded digits."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import numpy as np

import rethink_keras
from rethink_keras.training import loop
from rethink_keras.training.callbacks import Recorder

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


def run(workdir: Path, *bindings: str, gin_files: Sequence[Path] = (), **options) -> rethink_keras.Result:
    """Trains quietly, without gin files but with `SMALL` and more bindings."""
    with contextlib.redirect_stdout(io.StringIO()):
        return rethink_keras.run(gin_files, [*SMALL, *bindings], workdir, **options)


@contextlib.contextmanager
def new_folder():
    """A folder for the length of a test."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@contextlib.contextmanager
def signal_at(step: int, number: int = signal.SIGTERM):
    """Sends this process a real signal when a run's epoch has come to `step`, once."""
    real, sent = Recorder.on_train_batch_end, []

    def on_train_batch_end(self, batch, logs=None):
        if self._first_step + batch + 1 >= step and not sent:
            sent.append(os.kill(os.getpid(), number))
        real(self, batch, logs)

    with mock.patch.object(Recorder, "on_train_batch_end", on_train_batch_end):
        yield


@contextlib.contextmanager
def signal_after_epoch(number: int = signal.SIGTERM):
    """Sends this process a real signal when an epoch is measured and saved, once."""
    real, sent = loop.epoch_line, []

    def epoch_line(row):
        if not sent:
            sent.append(os.kill(os.getpid(), number))
        return real(row)

    with mock.patch.object(loop, "epoch_line", epoch_line):
        yield


def newest_arrays(workdir: Path) -> list[np.ndarray]:
    """All variables of the newest checkpoint, the optimizer's and the seed generators' among them."""
    path = max((workdir / "checkpoints").glob("*.npz"))
    with np.load(path) as archive:
        return [archive[name] for name in sorted(archive.files) if name != "state"]


def timeless(rows) -> list[dict]:
    """Rows without the column that differs from run to run."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in rows]
