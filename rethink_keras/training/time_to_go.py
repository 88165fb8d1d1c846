"""How long a run still takes, estimated from what it has measured."""

from __future__ import annotations

import time
from collections.abc import Callable

from rethink_keras.training.run import Run


class TimeToGo:
    """Estimates how long this process still trains, from the seconds of its own steps and evaluations.

    An earlier process of a run that was resumed may have had another machine, so that its times do not count.

    Args:
        run: The run.
        until_epoch: The number of epochs after which this process ends.
        clock: Returns seconds.
    """

    def __init__(self, run: Run, until_epoch: int, clock: Callable[[], float] = time.monotonic):
        self._run = run
        self._until_epoch = until_epoch
        self._clock = clock
        self._steps = _Pace()
        self._evaluations = _Pace()
        self._last_step = 0
        self._last_time: float | None = None

    def begin_steps(self) -> None:
        """Begins the steps of an epoch, or the rest of them."""
        self._last_step, self._last_time = self._run.state.step, self._clock()

    def end_steps(self) -> None:
        """Ends the steps up to that of the run's state."""
        step = self._run.state.step
        self._steps.add(self._seconds(), step - self._last_step)
        self._last_step = step

    def end_epoch(self, evaluated: bool) -> None:
        """Ends an epoch; what was done since its last step counts as its evaluation, if it had one."""
        # An epoch whose steps an earlier process did begins with its evaluation: the beginning is not known.
        if self._last_time is not None and evaluated:
            self._evaluations.add(self._seconds(), 1)

    def describe(self) -> str:
        """Returns the estimate, such as 'about 12 min to go'; empty after the last epoch, and without a measurement.

        The first steps and the first evaluation include compilation. An estimate from these alone is an upper limit,
        and so is one for a run that `evaluation.stop_when` may end.
        """
        run, state, every = self._run, self._run.state, self._run.config.evaluation.every_epochs
        epochs = self._until_epoch - state.epoch
        if run.has_ended or epochs <= 0 or not self._steps.measured:
            return ""
        seconds = self._steps.mean * (epochs * run.steps_per_epoch - state.step)
        if not self._evaluations.measured:
            return f"about {duration(seconds)} to go without evaluation"
        evaluations = self._until_epoch // every - state.epoch // every
        if self._until_epoch % every and self._until_epoch == run.config.train.epochs:
            evaluations += 1
        seconds += self._evaluations.mean * evaluations
        is_limit = self._evaluations.is_first or run.config.evaluation.stop_when != "never"
        return f"{'at most' if is_limit else 'about'} {duration(seconds)} to go"

    def _seconds(self) -> float:
        """Returns the seconds since the last call, or since the beginning of the steps."""
        assert self._last_time is not None
        last, self._last_time = self._last_time, self._clock()
        return self._last_time - last


class _Pace:
    """The mean duration of something, without its first measurement as soon as there are others.

    Attributes:
        measured: Whether there is a measurement.
        is_first: Whether there is only the first.
        mean: Seconds.
    """

    def __init__(self):
        self.measured = False
        self.is_first = False
        self._total, self._count = 0.0, 0

    def add(self, seconds: float, count: int) -> None:
        if not self.measured or self.is_first:
            self._total, self._count = 0.0, 0
        self.is_first, self.measured = not self.measured, True
        self._total += seconds
        self._count += count

    @property
    def mean(self) -> float:
        return self._total / max(self._count, 1)


def duration(seconds: float) -> str:
    """Returns a duration in one or two units, such as '45 s', '12 min', '3 h 20 min' or '2 d 4 h'."""
    if seconds < 99.5:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h"
