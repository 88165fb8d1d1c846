"""When a run has diverged: a loss or a weight is not finite."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from rethink_keras.errors import DivergedError


def non_finite_weight(network: keras.Model) -> str | None:
    """Returns the path of the first weight or moving average that has NaN or infinity, or None.

    The loss alone does not tell: ReLU hides NaN in the weights before it. The loss scale of mixed precision is no
    weight; steps that it skips leave weights finite.
    """
    for variable in network.weights:
        if not np.isfinite(np.asarray(variable)).all():
            return variable.path
    return None


def diverged(what: str, where: dict[str, Any], checkpoints: Sequence[Path]) -> DivergedError:
    """Returns the error that ends a run.

    Args:
        what: is not finite.
        where: `epoch`, `step` and `learning_rate`.
        checkpoints: of the run, oldest first; none was written with such a weight.
    """
    return DivergedError(
        f"{what} is not finite in epoch {where['epoch']} at step {where['step']}, at a learning rate of "
        f"{where['learning_rate']:g}. Try a smaller train.learning_rate; the last good checkpoint is "
        f"{checkpoints[-1] if checkpoints else 'none'}."
    )
