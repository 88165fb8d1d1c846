"""Workdirs as `bin/train` leaves them, without training anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rethink_keras.workdir.metrics import first_epoch
from rethink_keras.workdir.workdir import Workdir

FACTS = {
    "seed": 0,
    "model": "mlp",
    "dataset": "digits",
    "train_examples": 100,
    "test_examples": 20,
    "randomization": {"labels": "true", "pixels": "true", "corruption": None, "seed": 0},
    "fingerprints": dict.fromkeys(("train_data", "test_data", "randomization", "epoch_order"), "0"),
    "versions": {"keras": "3.15.1", "rethink_keras": "0.1.0+0123456789ab"},
    "device": "A made-up processor, 2 cores",
}
METRICS = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")


def row(epoch: int, accuracy: float = 1.0, seconds: float = 1.0, **values: Any) -> dict[str, Any]:
    """A row of metrics.csv: training accuracy as given, test accuracy 0.1."""
    return {
        "epoch": epoch,
        "step": 10 * epoch,
        "train_loss": 1 - accuracy,
        "train_accuracy": accuracy,
        "test_loss": 2.0,
        "test_accuracy": 0.1,
        "seconds": seconds,
        "running_accuracy": accuracy,
        **values,
    }


def summary(rows: list[dict[str, Any]], status: str = "done", **fields: Any) -> dict[str, Any]:
    """The summary.json of a run with such rows."""
    made = {"status": status, "epochs": rows[-1]["epoch"] if rows else 0, **FACTS}
    if rows:
        made |= {
            "final": {name: rows[-1][name] for name in METRICS},
            "best_on_the_way": {"test_accuracy": 0.1, "epoch": 1},
            "epochs_to_fit": first_epoch(rows, lambda row: row["train_loss"] <= 0.05),
            "epochs_to_accuracy": first_epoch(rows, lambda row: row["train_accuracy"] >= 0.9),
            "train_metrics": "fixed_weights",
            "fit_loss": 0.05,
            "fit_accuracy": 0.9,
        }
    return {**made, **fields}


def write_run(
    folder: Path, status: str = "done", rows: list[dict[str, Any]] | None = None, **fields: Any
) -> Workdir:
    """Writes config.gin, metrics.csv and summary.json of a run, of three epochs unless `rows` are given."""
    rows = [row(epoch) for epoch in (1, 2, 3)] if rows is None else rows
    folder.mkdir(parents=True, exist_ok=True)
    workdir = Workdir(folder)
    workdir.write_configuration("train.epochs = 3\n")
    workdir.write_metrics(rows)
    workdir.write_summary(summary(rows, status, **fields))
    return workdir
