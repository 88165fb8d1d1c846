"""What a search optimizes, and the metrics of a trial, read from the record of its run."""

from __future__ import annotations

from typing import Any

from rethink_keras.errors import DamagedError
from rethink_keras.workdir.metrics import first_epoch
from rethink_keras.workdir.record import DAMAGED, RunRecord

METRICS = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
DIRECTIONS = {
    "train_accuracy": "max",
    "test_accuracy": "max",
    "train_loss": "min",
    "epochs_to_fit": "min",
    "epochs_to_accuracy": "min",
}


def metrics_after(record: RunRecord, until: int) -> dict[str, Any]:
    """Returns the metrics of a run after the epoch `until`, or after the last measured one before it.

    Returns:
        `epochs`, the losses and accuracies after the last of them, the `seconds` that they took, and `epochs_to_fit`
        and `epochs_to_accuracy`, which are None if the run did not reach them.

    Raises:
        DamagedError: A file of the run is damaged or missing.
    """
    if record.status == DAMAGED:
        raise DamagedError(record.trouble)
    rows = [row for row in record.rows if row["epoch"] <= until]
    if not rows or "fit_loss" not in record.summary:
        raise DamagedError(f"metrics.csv or summary.json in {record.folder} is missing or has no epoch")
    fit_loss, fit_accuracy = record.summary["fit_loss"], record.summary["fit_accuracy"]
    return {
        "epochs": rows[-1]["epoch"],
        **{name: rows[-1][name] for name in METRICS},
        "epochs_to_fit": first_epoch(rows, lambda row: row["train_loss"] <= fit_loss),
        "epochs_to_accuracy": first_epoch(rows, lambda row: row["train_accuracy"] >= fit_accuracy),
        "seconds": sum(row.get("seconds", 0.0) for row in rows),
    }


def score(objective: str, found: dict[str, Any], epochs: int) -> float:
    """Returns the value that a search optimizes.

    A run of `epochs` epochs that does not fit within them has the value `epochs` plus its training error: it comes
    after all runs that fit, and before those with more errors.
    """
    value = found[objective]
    return epochs + 1 - found["train_accuracy"] if value is None else value
