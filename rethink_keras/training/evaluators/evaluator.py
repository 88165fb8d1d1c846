"""Evaluators: what is measured of a network after an epoch, besides losses and accuracies."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

from rethink_keras.registry import Registry, subclass_of
from rethink_keras.workdir.columns import MetricsRow

if TYPE_CHECKING:
    from rethink_keras.training.run import Run


class Evaluator(abc.ABC):
    """Measures something after each evaluated epoch, on fixed weights, and changes nothing of the run.

    A subclass that is registered can be named in a gin file: `evaluation.evaluators = ('weight_norm',)`. Its values
    become columns of `metrics.csv`:

        @EVALUATORS.register("weight_norm")
        class WeightNorm(Evaluator):
            def evaluate(self, row):
                return {"weight_norm": ...}

    Args:
        run: The run. Its batch normalization has the statistics that `evaluation.batch_norm` names.
    """

    def __init__(self, run: Run):
        self.run = run

    @abc.abstractmethod
    def evaluate(self, row: MetricsRow) -> dict[str, float]:
        """Returns values by column, always of the same columns.

        Args:
            row: The epoch's row so far; `run.ends_after(row)` says whether it is the last.

        Raises:
            Stopped: `run.stop` was set meanwhile. The run evaluates this epoch again when it is resumed.
        """


EVALUATORS: Registry[type[Evaluator]] = Registry("evaluator", subclass_of(Evaluator))
