"""What a sweep or search shows on the terminal: a line for each run that ended, and a progress bar below them."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import queue
import sys
import time
from collections.abc import Callable, Iterator, Sequence

from tqdm import tqdm

LEFT, RUNNING, DONE, FAILED = "left", "running", "done", "failed"


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far one of the runs is.

    Attributes:
        status: 'left', 'running', 'done' or 'failed'.
        cost: What it costs at most, in any unit: images or epochs.
        spent: How much of the cost has been spent.
        seconds: How long that took.
        kind: Runs of a kind, such as the same network, are expected to be equally fast.
    """

    status: str
    cost: float
    spent: float = 0.0
    seconds: float = 0.0
    kind: str = ""

    @property
    def ended(self) -> bool:
        """Whether the run has ended. It may end before its whole cost is spent."""
        return self.status in (DONE, FAILED)


class Display:
    """Lines as runs end, and on a terminal a bar below them.

    Any thread may pass lines to it. `update`, which only the main thread calls, writes them: if the reader of the
    output is gone, that raises BrokenPipeError where it stops the whole sweep, and not in the thread of one run.

    Args:
        progress: Returns the progress of all runs; None for a display of lines alone.
    """

    def __init__(self, progress: Callable[[], Sequence[Progress]] | None = None):
        self._progress = progress
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._next_refresh = 0.0
        self._bar = tqdm(
            disable=None if progress else True,  # None shows it on a terminal
            total=1,
            leave=False,
            bar_format="{percentage:3.0f}%|{bar}| {elapsed} {desc}",
        )

    def say(self, line: str) -> None:
        """Shows a line at the next update."""
        self._lines.put(line)

    def ended(self, line: str) -> None:
        """Shows a line about a run that ended, and how many runs are done and left."""
        self.say(f"{line} [{summarize(self._progress())}]" if self._progress else line)

    def update(self) -> None:
        """Writes the lines and updates the bar.

        Raises:
            BrokenPipeError: The reader of the output is gone.
        """
        with contextlib.suppress(queue.Empty):
            while True:
                self._bar.write(self._lines.get_nowait())
        sys.stdout.flush()
        begin = time.monotonic()
        if self._progress and not self._bar.disable and begin >= self._next_refresh:
            runs = self._progress()
            self._bar.total = sum(run.cost for run in runs)
            self._bar.n = sum(run.cost if run.ended else run.spent for run in runs)
            self._bar.set_description_str(summarize(runs))
            # Reading the files of a thousand runs takes seconds, which other threads need: do it 5% of the time.
            self._next_refresh = begin + max(1.0, 20 * (time.monotonic() - begin))

    @contextlib.contextmanager
    def shown(self) -> Iterator[Display]:
        """Shows the bar as long as the context lasts; writes the last lines at its end."""
        try:
            yield self
            self.update()
        finally:
            self._bar.close()


def summarize(runs: Sequence[Progress]) -> str:
    """Returns the numbers of runs by status and the estimated time left, such as '3 done, 2 running, 1 left'."""
    count = collections.Counter(run.status for run in runs)
    parts = [f"{count[status]} {status}" for status in (DONE, RUNNING, LEFT)]
    if count[FAILED]:
        parts.append(f"{count[FAILED]} failed")
    if estimate := _time_left(runs, max(1, count[RUNNING])):
        parts.append(estimate)
    return ", ".join(parts)


def _time_left(runs: Sequence[Progress], side_by_side: int) -> str:
    """Estimates the time left: each kind at its own speed, and with the share of its cost that its done runs spent."""
    by_kind = collections.defaultdict(list)
    for run in runs:
        by_kind[run.kind].append(run)
    seconds, unknown = 0.0, []
    for kind, alike in by_kind.items():
        shares = [run.spent / run.cost for run in alike if run.status == DONE]
        share = sum(shares) / len(shares) if shares else 1.0
        left = sum(max(run.cost * share - run.spent, 0.0) for run in alike if not run.ended)
        spent = sum(run.spent for run in alike)
        if left and spent:
            seconds += left * sum(run.seconds for run in alike) / spent
        elif left:
            unknown.append(kind)
    if not seconds:
        return ""
    besides = f" besides {', '.join(sorted(unknown))}" if unknown else ""
    minutes = round(seconds / side_by_side / 60)
    return f"{f'about {minutes}' if minutes else 'less than 1'} min to go{besides}"
