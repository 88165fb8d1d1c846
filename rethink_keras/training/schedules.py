"""Learning-rate schedules: functions of the optimizer's step, in units of epochs.

A schedule depends on the step alone, so that a resumed run continues exactly.
"""

from __future__ import annotations

import inspect
from typing import Protocol, TypeAlias, TypeVar

import gin
import keras

from rethink_keras.errors import UserError
from rethink_keras.validation import check_number, check_positive_fraction

MOST_EPOCHS = 100_000  # of a run
Schedule: TypeAlias = keras.optimizers.schedules.LearningRateSchedule


class ScheduleBuilder(Protocol):
    """The type of `train.schedule`."""

    __name__: str

    def __call__(self, *, initial: float, steps_per_epoch: int, epochs: int) -> Schedule:
        """Returns the schedule of a run.

        Args:
            initial: The configured learning rate.
            steps_per_epoch: Steps of an epoch.
            epochs: Epochs of the whole run.
        """


Builder = TypeVar("Builder", bound=ScheduleBuilder)


def schedule(builder: Builder) -> Builder:
    """Registers a learning-rate schedule with gin, under its function's name.

    Its other parameters need defaults and can be bound in gin files. A function that is defined in a module of one's
    own is known to gin once a gin file imports the module.

    Raises:
        TypeError: The function does not take the keyword arguments of `ScheduleBuilder`.
    """
    try:
        inspect.signature(builder).bind(initial=0.1, steps_per_epoch=1, epochs=1)
    except TypeError as error:
        raise TypeError(f"The schedule {builder.__name__} does not fit: {error}.") from error
    return gin.configurable(builder, denylist=["initial", "steps_per_epoch", "epochs"])


@schedule
def exponential(*, initial: float, steps_per_epoch: int, epochs: int, factor: float = 0.95) -> Schedule:
    """Multiplies the rate by `factor` after every epoch; 0.95 is the paper's (appendix A)."""
    check_positive_fraction("exponential.factor", factor)
    return keras.optimizers.schedules.ExponentialDecay(initial, steps_per_epoch, factor, staircase=True)


@schedule
def steps(
    *,
    initial: float,
    steps_per_epoch: int,
    epochs: int,
    after: tuple[int, ...] = (150, 225),
    factor: float = 0.1,
) -> Schedule:
    """Multiplies the rate by `factor` after each of the epochs in `after`; the defaults are the companion code's."""
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


@schedule
def cosine(*, initial: float, steps_per_epoch: int, epochs: int, final: float = 0.0) -> Schedule:
    """Follows half a cosine from the initial rate to `final` over the whole run, step by step."""
    check_number("cosine.final", final, 0, 1e30)
    return keras.optimizers.schedules.CosineDecay(initial, epochs * steps_per_epoch, alpha=final / initial)


@schedule
def constant_rate(*, initial: float, steps_per_epoch: int, epochs: int) -> Schedule:
    """Keeps the initial rate."""
    return keras.optimizers.schedules.ExponentialDecay(initial, steps_per_epoch, 1.0, staircase=True)
