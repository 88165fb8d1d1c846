"""The values that distinguish a run from others, for the tables of TensorBoard and Weights & Biases."""

from __future__ import annotations

from typing import Any

from rethink_keras import config as gin_config
from rethink_keras.training.config import TrainConfig
from rethink_keras.training.regularization import ResolvedRegularization

_ALWAYS = (
    *(f"train.{name}" for name in ("model", "epochs", "batch_size", "learning_rate", "seed")),
    *("dataset.name", "randomization.labels", "randomization.pixels"),
)
_NEVER = ("checkpoints", "confusion", "wandb", "train.tensorboard", "train.wandb")


def hyperparameters(train: TrainConfig, regularization: ResolvedRegularization) -> dict[str, Any]:
    """Returns numbers, words and truth values by name: what is bound, the usual ones, and the resolved ones."""
    return {
        **gin_config.operative_values(_ALWAYS, _NEVER),
        "train.schedule": train.schedule.__name__,
        "train.optimizer": getattr(train.optimizer, "__name__", ""),
        "regularization.weight_decay": regularization.weight_decay,
        "regularization.dropout": regularization.dropout,
        "augmentation": regularization.augmentation.describe(),
    }
