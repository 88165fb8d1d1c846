"""What a search seeks, and the figures of a trial, read from its workdir."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from rethink_keras.training.state import first_epoch
from rethink_keras.workdir.progress import read_rows, read_summary

METRICS = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
DIRECTIONS = {
    "train_accuracy": "max",
    "test_accuracy": "max",
    "train_loss": "min",
    "epochs_to_fit": "min",
    "epochs_to_accuracy": "min",
}


def figures(workdir: Path, until: int) -> dict[str, Any]:
    """A run's figures after the epoch `until`, or the last measured one before it.

    Returns:
        The epochs, losses and accuracies after the last of them, the seconds that they took, and `epochs_to_fit` and
        `epochs_to_accuracy`, which are None if it did not come so far.

    Raises:
        FileNotFoundError: if the run has lost a file.
        ValueError: if one is damaged.
    """
    summary = read_summary(workdir)
    measured = [{name: _number(cell) for name, cell in row.items()} for row in read_rows(workdir)]
    try:
        return _figures(summary, [row for row in measured if row["epoch"] <= until])
    except (LookupError, TypeError, OverflowError) as error:
        what = f"{type(error).__name__}: {error}"
        raise ValueError(f"metrics.csv or summary.json in {workdir} is damaged ({what})") from error


def _figures(summary: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    last = rows[-1]
    metrics = {name: last[name] for name in METRICS}
    if not all(isinstance(value, float) and math.isfinite(value) for value in metrics.values()):
        raise TypeError(f"epoch {last['epoch']} has no finite metrics")
    return {
        "epochs": int(last["epoch"]),
        **metrics,
        "epochs_to_fit": _whole(first_epoch(rows, lambda row: row["train_loss"] <= summary["fit_loss"])),
        "epochs_to_accuracy": _whole(
            first_epoch(rows, lambda row: row["train_accuracy"] >= summary["fit_accuracy"])
        ),
        "seconds": sum(row["seconds"] for row in rows),
    }


def score(objective: str, found: dict[str, Any], epochs: int) -> float:
    """What a search goes by.

    A run of `epochs` epochs that does not fit within them counts as fitting after them, by the share of training
    examples that it has wrong: later than all that fit, and before those that have more wrong.
    """
    value = found[objective]
    return epochs + 1 - found["train_accuracy"] if value is None else value


def _number(cell: str) -> Any:
    try:
        return float(cell)
    except ValueError:
        return cell


def _whole(epoch: float | None) -> int | None:
    return None if epoch is None else int(epoch)
