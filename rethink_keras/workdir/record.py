"""The content of a run's files as one value, which all readers of runs share."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from rethink_keras.workdir import summary as summaries
from rethink_keras.workdir.columns import MetricsRow
from rethink_keras.workdir.summary import DIVERGED, DONE, INTERRUPTED, RUNNING, Summary

FAILED, DAMAGED, MISSING = "failed", "damaged", "missing"
STATUSES = (DONE, RUNNING, INTERRUPTED, DIVERGED, FAILED, DAMAGED, MISSING)


@dataclasses.dataclass(frozen=True)
class RunRecord:
    """The content of a run's files.

    Attributes:
        folder: The workdir.
        status: One of `STATUSES`. It is 'running' also for a run that was killed, 'failed' for a run of a sweep that
            ended with an error, 'damaged' if a file cannot be used or two of them contradict each other, and 'missing'
            without a summary.json.
        trouble: What is damaged, a phrase without a full stop; or why the run failed; else empty.
        summary: The fields of summary.json; empty without one, and of a damaged run.
        rows: The rows of metrics.csv; empty without one, of a damaged run, and of an experiment without training.
        config: The text of config.gin; empty without one, and of a damaged run.
    """

    folder: Path
    status: str
    trouble: str = ""
    summary: Summary = dataclasses.field(default_factory=dict)
    rows: tuple[MetricsRow, ...] = ()
    config: str = ""

    @property
    def is_training(self) -> bool:
        """Whether it is the training of a network, not an experiment of section 4 or 5."""
        return bool(self.summary) and summaries.is_training(self.summary)

    @property
    def final(self) -> dict[str, float]:
        """The metrics after the last epoch; empty without one, and for an experiment without training."""
        return self.summary.get("final", {}) if self.is_training else {}

    @property
    def epochs(self) -> int:
        """The last epoch that was measured; 0 without one."""
        return self.rows[-1]["epoch"] if self.rows else 0

    @property
    def seconds(self) -> float:
        """The time that the epochs up to the last row took."""
        return sum(row.get("seconds", 0.0) for row in self.rows)

    @property
    def configuration(self) -> str:
        """The fingerprint of the configuration; empty if the summary has none, as in earlier versions."""
        return self.summary.get("configuration", "")

    def progress(self, planned_epochs: int | None = None) -> str:
        """Returns the status in words, such as 'interrupted after 12 of 69 epochs'."""
        planned = "" if planned_epochs is None else f" of {planned_epochs}"
        after = f" after {self.epochs}{planned} epochs"
        return {
            DONE: f"done: {self.epochs} epochs",
            RUNNING: f"running, or killed,{after}",
            INTERRUPTED: f"interrupted{after}",
            DIVERGED: f"diverged{after}",
        }.get(self.status, self.status)

    def final_metrics(self) -> str:
        """Returns the epochs and the final accuracies in words, or that there are none."""
        if not self.final:
            return f"{self.status}, without metrics" + (f": {self.trouble}" if self.trouble else "")
        accuracies = f"train {self.final['train_accuracy']:.2%}, test {self.final['test_accuracy']:.2%}"
        return f"{self.summary['epochs']} epochs, {accuracies}"
