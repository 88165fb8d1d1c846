"""What `summary.json` says of a run."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Sequence
from typing import Any

import numpy as np

from rethink_keras.training import devices
from rethink_keras.training.evaluation import Evaluation
from rethink_keras.training.state import Row, first_epoch

_LIBRARIES = ("keras", "tensorflow", "tensorflow-datasets", "numpy", "gin-config")


def figures(rows: list[Row], evaluation: Evaluation) -> dict[str, Any]:
    """Final and best figures of the epochs so far.

    The best test accuracy on the way is told apart from the final one and never decides anything.
    """
    if not rows:
        return {"epochs": 0}
    last = rows[-1]
    best = max(rows, key=lambda row: row["test_accuracy"])
    return {
        "epochs": last["epoch"],
        "steps": last["step"],
        "final": {
            name: last[name] for name in ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
        },
        "best_on_the_way": {"test_accuracy": best["test_accuracy"], "epoch": best["epoch"]},
        "epochs_to_fit": first_epoch(rows, evaluation.fitted),
        "epochs_to_accuracy": first_epoch(rows, evaluation.accurate),
        "fit_loss": evaluation.fit_loss,
        "fit_accuracy": evaluation.fit_accuracy,
        "train_metrics": evaluation.train_metrics,
        "seconds": round(sum(row["seconds"] for row in rows), 3),
    }


def environment() -> dict[str, Any]:
    """Library versions and the machine."""
    versions = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    return {"versions": {"python": platform.python_version(), **versions}, "device": devices.describe()}


def fingerprint(arrays: Sequence) -> str:
    """SHA-256 (hex) of the values of arrays or variables."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(np.asarray(array)).data)
    return digest.hexdigest()
