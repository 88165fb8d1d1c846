"""How far the runs of a sweep have come, shown on the terminal."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path

from tqdm import tqdm

from rethink_keras.experiments.run_process import Outcome
from rethink_keras.experiments.sweeps.manifest import Manifest, PlannedRun
from rethink_keras.workdir.record import RunRecord
from rethink_keras.workdir.summary import DONE, ENDED, RUNNING
from rethink_keras.workdir.workdir import Workdir


class Display:
    """Lines as runs end, and on a terminal a bar below them.

    Args:
        manifest: of the sweep.
        folder: of the sweep.
    """

    def __init__(self, manifest: Manifest, folder: Path):
        self._manifest = manifest
        self._folder = folder
        self._failed: dict[str, Outcome] = {}
        self._bar = tqdm(
            total=manifest.images,
            disable=None,
            leave=False,
            bar_format="{percentage:3.0f}%|{bar}| {elapsed} {postfix}",
        )

    def tick(self) -> None:
        """Brings the bar up to date."""
        if not self._bar.disable:
            found = self._look()
            self._bar.n = sum(_images(run, found[run.name]) for run in self._manifest.runs)
            self._bar.set_postfix_str(self._counts(found))

    def ended(self, outcome: Outcome) -> None:
        """Tells how a run ended."""
        found = self._look()
        progress = found[outcome.name]
        if outcome.exit_code:
            self._failed[outcome.name] = outcome
            told = f"{outcome.sentence} (exit code {outcome.exit_code}, {_times(outcome.attempts)})"
        else:
            told = f"{progress.seconds:.0f} s, {progress.final_metrics()}"
        self.say(f"{outcome.name}: {told} [{self._counts(found)}]")

    def say(self, sentence: str) -> None:
        """Writes a line above the bar, at once: that the reader has gone must be noticed."""
        self._bar.write(sentence)
        sys.stdout.flush()

    def close(self) -> None:
        """Takes the bar away."""
        self._bar.close()

    def _look(self) -> dict[str, RunRecord]:
        return {run.name: Workdir(self._folder / run.name).read() for run in self._manifest.runs}

    def _counts(self, found: dict[str, RunRecord]) -> str:
        by_status = Counter(p.status for name, p in found.items() if name not in self._failed)
        done, running, failed = by_status[DONE], by_status[RUNNING], len(self._failed)
        parts = [f"{done} done", f"{running} running", f"{len(found) - done - running - failed} left"]
        if failed:
            parts.append(f"{failed} failed")
        if estimate := self._estimate(found, max(1, running)):
            parts.append(estimate)
        return ", ".join(parts)

    def _estimate(self, found: dict[str, RunRecord], side_by_side: int) -> str:
        """Time left, each network at its own speed and with as many epochs as its runs that are over took."""
        epochs: dict[str, list[int]] = defaultdict(list)
        images: dict[str, float] = defaultdict(float)
        seconds: dict[str, float] = defaultdict(float)
        for run in self._manifest.runs:
            progress = found[run.name]
            images[run.network] += run.images * progress.epochs / run.epochs
            seconds[run.network] += progress.seconds
            if progress.status in ENDED:
                epochs[run.network].append(progress.epochs)
        left, unknown = 0.0, set()
        for run in self._manifest.runs:
            progress = found[run.name]
            if progress.status in ENDED or run.name in self._failed:
                continue
            if not images[run.network]:
                unknown.add(run.network)
                continue
            over = epochs[run.network]
            expected = sum(over) / len(over) if over else run.epochs
            still = run.images * max(expected - progress.epochs, 0) / run.epochs
            left += still * seconds[run.network] / images[run.network]
        if not left:
            return ""
        beside = f" besides {', '.join(sorted(unknown))}" if unknown else ""
        return f"about {left / side_by_side / 60:.0f} min to go{beside}"


def _images(run: PlannedRun, progress: RunRecord) -> int:
    """Images that have passed through, all of them if the run is over: it may end before its last epoch."""
    return run.images if progress.status in ENDED else run.images * progress.epochs // run.epochs


def _times(attempts: int) -> str:
    return "tried once" if attempts == 1 else f"tried {attempts} times"
