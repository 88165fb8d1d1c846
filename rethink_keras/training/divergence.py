"""When a run has diverged: a loss or a weight is not finite."""

from __future__ import annotations

import math

import keras
import numpy as np

from rethink_keras.errors import DivergedError
from rethink_keras.training.checkpoints import checkpoint_paths
from rethink_keras.training.run import Run


def check_loss(run: Run, loss: float) -> None:
    """Raises DivergedError unless a loss is finite."""
    if not math.isfinite(loss):
        raise _diverged(run, "The loss")


def check_weights(run: Run) -> None:
    """Raises DivergedError on all workers unless every weight is finite.

    The loss alone does not show it: ReLU hides NaN in the weights before it.
    """
    name = non_finite_weight(run.network)
    if run.workers.broadcast(name is not None):
        raise _diverged(run, f"The weight {name}")


def position(run: Run) -> dict[str, float]:
    """Returns the epoch in progress, counted from 1, its last step and the learning rate of that step."""
    state = run.state
    rate = run.learning_rate(state.epoch * run.steps_per_epoch + state.step - 1)
    return {"epoch": state.epoch + 1, "step": state.step, "learning_rate": rate}


def non_finite_weight(network: keras.Model) -> str | None:
    """Returns the path of the first weight or moving average that has NaN or infinity, or None.

    The loss scale of mixed precision is no weight; steps that it skips leave weights finite.
    """
    for variable in network.weights:
        if not np.isfinite(np.asarray(variable)).all():
            return variable.path
    return None


def _diverged(run: Run, what: str) -> DivergedError:
    where, saved = position(run), checkpoint_paths(run.folder.checkpoints)
    return DivergedError(
        f"{what} is not finite in epoch {where['epoch']} at step {where['step']}, at a learning rate of "
        f"{where['learning_rate']:g}. Try a smaller train.learning_rate; the last good checkpoint is "
        f"{saved[-1] if saved else 'none'}."
    )
