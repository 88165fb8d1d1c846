"""A bar on a terminal; without one, a line every few minutes."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

import keras
from tqdm import tqdm

LINE_SECONDS = 240
"""A line is due after so many seconds without one. A step later it is printed: before five minutes have passed."""


class ProgressDisplay:
    """Shows how much of something countable is done, such as the steps of an epoch.

    Args:
        clock: Returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._bar: tqdm | None = None
        self._last_line = clock()

    def begin(self, label: str, unit: str, total: int, done: int = 0) -> None:
        """Begins to show something; it ends what was shown before.

        Args:
            label: What it is, such as the number of the epoch.
            unit: What is counted, such as 'step'.
            total: Their number.
            done: The number that is done already.
        """
        self.end()
        self._label, self._unit, self._total = label, unit, total
        if sys.stdout.isatty():
            self._bar = tqdm(
                total=total,
                initial=done,
                desc=label,
                unit=unit,
                leave=False,
                file=sys.stdout,
                dynamic_ncols=True,
                bar_format="{desc}: {percentage:3.0f}%|{bar}| {unit} {n_fmt}/{total_fmt}{postfix}",
            )

    def update(self, done: int, describe: Callable[[], str]) -> None:
        """Shows the number that is done.

        Args:
            done: The number.
            describe: Returns what is shown beside it, such as the loss. It is called only if that is shown.
        """
        if self._bar is not None:
            self._bar.set_postfix_str(describe(), refresh=False)
            self._bar.update(done - self._bar.n)
        elif not sys.stdout.isatty() and self._clock() - self._last_line >= LINE_SECONDS:
            parts = [f"{self._label}: {self._unit} {done:,} of {self._total:,}", describe()]
            self.say(", ".join(filter(None, parts)))

    def end(self) -> None:
        """Removes the bar."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def say(self, line: str) -> None:
        """Prints a line; the next one is due some minutes after it."""
        self.end()
        print(line, flush=True)
        self._last_line = self._clock()

    @contextlib.contextmanager
    def of_evaluation(
        self, label: str, batches: int, describe: Callable[[], str]
    ) -> Iterator[keras.callbacks.Callback]:
        """Returns a context with a callback that shows the batches of an evaluation.

        Args:
            label: What is evaluated.
            batches: The number of its batches.
            describe: Returns what is shown beside them.
        """
        self.begin(label, "batch", batches)
        try:
            yield _Batches(self, describe)
        finally:
            self.end()  # also if the evaluation was stopped


class _Batches(keras.callbacks.Callback):
    def __init__(self, display: ProgressDisplay, describe: Callable[[], str]):
        super().__init__()
        self._display = display
        self._describe = describe

    def on_test_batch_end(self, batch, logs=None):
        self._display.update(batch + 1, self._describe)
