"""What the parts of a run share."""

from __future__ import annotations

import dataclasses
from typing import Any

import keras

from rethink_keras.data.batches import Batches
from rethink_keras.system.signals import StopRequest
from rethink_keras.training.config import RunConfig
from rethink_keras.training.distribution.workers import Workers
from rethink_keras.training.schedules import Schedule
from rethink_keras.training.state import RunState
from rethink_keras.workdir.workdir import Workdir


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """A run in progress, as its callbacks and evaluators see it.

    Attributes:
        config: Its configuration.
        folder: Its workdir, locked. Only the chief of several workers writes files.
        workers: The processes that train it.
        network: The compiled network.
        schedule: Learning rate by step.
        train: The training batches.
        test: The test batches.
        evaluation_batch_size: Examples evaluated at a time.
        class_names: One for each class.
        state: Position and history; the callbacks change it.
        stop: True once a signal has requested a stop.
        facts: The part of `summary.json` that is known before training.
    """

    config: RunConfig
    folder: Workdir
    workers: Workers
    network: keras.Model
    schedule: Schedule
    train: Batches
    test: Batches
    evaluation_batch_size: int
    class_names: tuple[str, ...]
    state: RunState
    stop: StopRequest
    facts: dict[str, Any]

    @property
    def steps_per_epoch(self) -> int:
        """Steps of an epoch, the short last batch included."""
        return self.train.steps(self.config.train.batch_size)

    @property
    def has_ended(self) -> bool:
        """Whether the last evaluated epoch is the run's last: all are done, or `evaluation.stop_when` holds."""
        rows = self.state.rows
        return bool(rows) and self.ends_after(rows[-1])

    def ends_after(self, row) -> bool:
        """Returns whether the epoch of a row of `metrics.csv` is the run's last."""
        return row["epoch"] >= self.config.train.epochs or self.config.evaluation.stops_after(row)

    def learning_rate(self, step: int) -> float:
        """Returns the learning rate of a step, counted from 0 over all epochs."""
        return float(self.schedule(step))
