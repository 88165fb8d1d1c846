"""A run made by hand: real state, configuration and workdir, a network of one layer, no training."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import keras
import numpy as np

from rethink_keras import config
from rethink_keras.system.signals import StopRequest
from rethink_keras.training.config import RunConfig
from rethink_keras.training.distribution.workers import SINGLE_WORKER
from rethink_keras.training.run import Run
from rethink_keras.training.state import RunState
from rethink_keras.workdir.workdir import Workdir

STEPS = 10
ROW = {
    "epoch": 1,
    "step": STEPS,
    "train_loss": 0.25,
    "train_accuracy": 0.5,
    "test_loss": 2.0,
    "test_accuracy": 0.125,
    "learning_rate": 0.05,
    "seconds": 1.5,
    "train_metrics": "fixed_weights",
    "batch_norm": "none",
    "running_loss": 0.3,
    "running_accuracy": 0.4,
    "penalty": 0.0,
}


@dataclasses.dataclass
class Batches:
    """The part of training batches that callbacks use."""

    epochs: list[int] = dataclasses.field(default_factory=list)

    def steps(self, batch_size: int) -> int:
        """Returns the steps of an epoch."""
        return STEPS

    def set_epoch(self, epoch: int) -> None:
        """Records the epoch."""
        self.epochs.append(epoch)


def made_run(folder: str | Path, *bindings: str, state: RunState | None = None, **parts: Any) -> Run:
    """Returns a run whose configuration is the default with some bindings."""
    config.parse([], bindings)
    (Path(folder) / "checkpoints").mkdir(exist_ok=True)
    network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, name="only")], name="made")
    network.compile("sgd", "mse")
    fields: dict[str, Any] = {
        "config": RunConfig.from_gin(),
        "folder": Workdir(folder),
        "workers": SINGLE_WORKER,
        "network": network,
        "schedule": keras.optimizers.schedules.ExponentialDecay(0.1, STEPS, 0.5, staircase=True),
        "train": Batches(),
        "test": Batches(),
        "evaluation_batch_size": 7,
        "class_names": ("cat", "dog"),
        "state": state or RunState(),
        "stop": StopRequest(),
        "facts": {"versions": {"python": "3"}},
    }
    return Run(**(fields | parts))


def spoil(network: keras.Model) -> None:
    """Puts NaN into the last weight of a network."""
    network.weights[-1].assign(np.full(network.weights[-1].shape, np.nan))
