"""When a run has diverged: a loss or a weight is not finite."""

from __future__ import annotations

import math

import keras
import numpy as np

from rethink_keras.errors import DivergedError
from rethink_keras.training.checkpoints import Checkpoints
from rethink_keras.training.run import Run


class DivergenceCheck:
    """Raises `DivergedError` for a loss or a weight that is not finite.

    Args:
        run: The run.
        checkpoints: Its checkpoints, none of which was saved with such a weight.

    Attributes:
        where: Epoch, step and learning rate at which the run diverged; None before.
    """

    def __init__(self, run: Run, checkpoints: Checkpoints):
        self.where: dict[str, float] | None = None
        self._run = run
        self._checkpoints = checkpoints

    def check_loss(self, loss: float) -> None:
        """Raises DivergedError unless a loss is finite."""
        if not math.isfinite(loss):
            self._raise("The loss")

    def check_weights(self) -> None:
        """Raises DivergedError on all workers unless every weight is finite.

        The loss alone does not show it: ReLU hides NaN in the weights before it.
        """
        name = non_finite_weight(self._run.network)
        if self._run.workers.broadcast(name is not None):
            self._raise(f"The weight {name}")

    def _raise(self, what: str) -> None:
        state = self._run.state
        rate = self._run.learning_rate(state.epoch * self._run.steps_per_epoch + state.step - 1)
        self.where = {"epoch": state.epoch + 1, "step": state.step, "learning_rate": rate}
        saved = self._checkpoints.paths()
        raise DivergedError(
            f"{what} is not finite in epoch {state.epoch + 1} at step {state.step}, at a learning rate of {rate:g}. "
            f"Try a smaller train.learning_rate; the last good checkpoint is {saved[-1] if saved else 'none'}."
        )


def non_finite_weight(network: keras.Model) -> str | None:
    """Returns the path of the first weight or moving average that has NaN or infinity, or None.

    The loss scale of mixed precision is no weight; steps that it skips leave weights finite.
    """
    for variable in network.weights:
        if not np.isfinite(np.asarray(variable)).all():
            return variable.path
    return None
