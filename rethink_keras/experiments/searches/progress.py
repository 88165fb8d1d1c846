"""What a search looks like while it runs: lines as trials end, and on a terminal a bar below them."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from keras_tuner.engine.trial import Trial, TrialStatus
from tqdm import tqdm

from rethink_keras.errors import DamagedError
from rethink_keras.experiments.searches.objectives import metrics_after
from rethink_keras.experiments.searches.results import failure, in_short
from rethink_keras.experiments.searches.search import Plan
from rethink_keras.workdir.workdir import Workdir

INITIAL_EPOCH = "tuner/initial_epoch"  # Hyperband's


def line(plan: Plan, folder: Path, trial: Trial) -> str:
    """How a trial ended, and with what."""
    run = plan.run(trial)
    if trial.status == TrialStatus.COMPLETED:
        try:
            found = metrics_after(Workdir(folder / run.name).read(), plan.until(trial))
            told = (
                f"{found['epochs']} epochs, {found['seconds']:.0f} s, train {found['train_accuracy']:.2%}, "
                f"test {found['test_accuracy']:.2%}"
            )
        except DamagedError as error:
            told = f"done, but {error}"
    else:
        told = f"failed: {failure(folder / run.name)}"
    return f"trial {int(trial.trial_id):04d}: {told} ({in_short(plan, trial)})"


class Display:
    """Lines as trials end, and on a terminal a bar below them.

    Args:
        plan: of the search.
        folder: of the search.
        costs: epochs of all trials at most.
    """

    def __init__(self, plan: Plan, folder: Path, costs: Sequence[int]):
        self._plan = plan
        self._folder = folder
        self._count = len(costs)
        self._bar = tqdm(
            total=sum(costs),
            disable=None,
            leave=False,
            bar_format="{percentage:3.0f}%|{bar}| {elapsed} {postfix}",
        )

    def tick(self, trials: Sequence[Trial]) -> None:
        """Brings the bar up to date."""
        if not self._bar.disable:
            self._bar.n = min(sum(map(self._epochs, trials)), self._bar.total)
            self._bar.set_postfix_str(self._counts(trials))

    def ended(self, trial: Trial, trials: Sequence[Trial]) -> None:
        """Tells how a trial ended."""
        self.say(f"{line(self._plan, self._folder, trial)} [{self._counts(trials)}]")

    def say(self, sentence: str) -> None:
        """Writes a line above the bar, at once: that the reader has gone must be noticed."""
        self._bar.write(sentence)
        sys.stdout.flush()

    def close(self) -> None:
        """Takes the bar away."""
        self._bar.close()

    def _epochs(self, trial: Trial) -> int:
        """Epochs of its own that a trial has done; all of them if it is over."""
        before = trial.hyperparameters.values.get(INITIAL_EPOCH, 0)
        most = self._plan.until(trial) - before
        if trial.status != TrialStatus.RUNNING:
            return most
        return min(max(Workdir(self._folder / self._plan.run(trial).name).read().epochs - before, 0), most)

    def _counts(self, trials: Sequence[Trial]) -> str:
        by_status = Counter(trial.status for trial in trials)
        running, failed = by_status[TrialStatus.RUNNING], by_status[TrialStatus.FAILED]
        left = max(self._count - len(trials), 0)
        parts = [f"{by_status[TrialStatus.COMPLETED]} done", f"{running} running", f"{left} left"]
        if failed:
            parts.append(f"{failed} failed")
        workdirs = {self._folder / self._plan.run(trial).name for trial in trials}
        spent = [Workdir(workdir).read() for workdir in workdirs]
        epochs, seconds = sum(p.epochs for p in spent), sum(p.seconds for p in spent)
        still = self._bar.total - sum(map(self._epochs, trials))
        if epochs and still > 0:
            parts.append(f"about {still * seconds / epochs / max(running, 1) / 60:.0f} min to go")
        return ", ".join(parts)
