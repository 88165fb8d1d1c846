"""Learning-rate schedules: functions of the optimizer's step, in units of epochs.

Each takes the initial rate, the steps of an epoch and the number of epochs, and returns a Keras schedule; being
a function of the step alone is what lets a resumed run go on exactly.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

import gin
import keras

from rethink_keras.errors import UserError
from rethink_keras.validation import check_number, check_positive_fraction

MOST_EPOCHS = 100_000  # of a run
_FROM_TRAINER = ["initial", "steps_per_epoch", "epochs"]
Schedule: TypeAlias = keras.optimizers.schedules.LearningRateSchedule


class ScheduleBuilder(Protocol):
    """What `train.schedule` is bound to."""

    def __call__(self, *, initial: float, steps_per_epoch: int, epochs: int) -> Schedule:
        """The schedule of a run of `epochs` epochs."""


@gin.configurable(denylist=_FROM_TRAINER)
def exponential(*, initial: float, steps_per_epoch: int, epochs: int, factor: float = 0.95) -> Schedule:
    """Times `factor` after every epoch; 0.95 is the paper's (appendix A)."""
    del epochs
    check_positive_fraction("exponential.factor", factor)
    return keras.optimizers.schedules.ExponentialDecay(initial, steps_per_epoch, factor, staircase=True)


@gin.configurable(denylist=_FROM_TRAINER)
def steps(
    *,
    initial: float,
    steps_per_epoch: int,
    epochs: int,
    after: tuple[int, ...] = (150, 225),
    factor: float = 0.1,
) -> Schedule:
    """Times `factor` after each of the epochs in `after`; the defaults are the companion code's."""
    del epochs
    check_positive_fraction("steps.factor", factor)
    in_range = all(isinstance(epoch, int) and 0 < epoch <= MOST_EPOCHS for epoch in after)
    ascending = in_range and list(after) == sorted(set(after))
    if not after or not ascending:
        raise UserError(
            f"steps.after is {after!r}. Give ascending numbers of epochs, such as (150, 225), up to {MOST_EPOCHS}."
        )
    # The boundary is the last step at the old rate.
    boundaries = [epoch * steps_per_epoch - 1 for epoch in after]
    rates = [initial * factor**k for k in range(len(after) + 1)]
    return keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, rates)


@gin.configurable(denylist=_FROM_TRAINER)
def cosine(*, initial: float, steps_per_epoch: int, epochs: int, final: float = 0.0) -> Schedule:
    """Half a cosine from the initial rate to `final` over the whole run, step by step."""
    check_number("cosine.final", final, 0, 1e30)
    return keras.optimizers.schedules.CosineDecay(initial, epochs * steps_per_epoch, alpha=final / initial)


@gin.configurable(denylist=_FROM_TRAINER)
def constant_rate(*, initial: float, steps_per_epoch: int, epochs: int) -> Schedule:
    """The initial rate throughout."""
    del epochs
    return keras.optimizers.schedules.ExponentialDecay(initial, steps_per_epoch, 1.0, staircase=True)
