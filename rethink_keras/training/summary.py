"""What `summary.json` says of a run."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import rethink_keras
from rethink_keras.training.distribution import devices
from rethink_keras.training.evaluation import Evaluation
from rethink_keras.training.state import Row, first_epoch

_LIBRARIES = ("keras", "tensorflow", "tensorflow-datasets", "numpy", "gin-config")
_FINAL = (
    "train_loss",
    "train_accuracy",
    "train_top5_accuracy",
    "test_loss",
    "test_accuracy",
    "test_top5_accuracy",
)
_PACKAGE = Path(rethink_keras.__file__).parent
# What no metric of a run depends on; everything else does, or may.
_NOT_COMPUTING = (
    "commands",
    "experiments",
    "reports",
    "system",
    "workdir",
    "api.py",
    "errors.py",
    "plotting.py",
)


def figures(rows: list[Row], evaluation: Evaluation) -> dict[str, Any]:
    """Final and best figures of the epochs so far.

    The best test accuracy on the way is told apart from the final one and never decides anything.
    """
    if not rows:
        return {"epochs": 0}
    last = rows[-1]
    best = max(rows, key=lambda row: row["test_accuracy"])
    best_on_the_way = {"test_accuracy": best["test_accuracy"], "epoch": best["epoch"]}
    if evaluation.top5:
        best_top5 = max(rows, key=lambda row: row["test_top5_accuracy"])
        best_on_the_way["test_top5_accuracy"] = best_top5["test_top5_accuracy"]
        best_on_the_way["top5_epoch"] = best_top5["epoch"]
    return {
        "epochs": last["epoch"],
        "steps": last["step"],
        "final": {name: last[name] for name in _FINAL if name in last},
        "best_on_the_way": best_on_the_way,
        "epochs_to_fit": first_epoch(rows, evaluation.fitted),
        "epochs_to_accuracy": first_epoch(rows, evaluation.accurate),
        "fit_loss": evaluation.fit_loss,
        "fit_accuracy": evaluation.fit_accuracy,
        "train_metrics": evaluation.train_metrics,
        "batch_norm": last.get("batch_norm"),
        "seconds": round(sum(row["seconds"] for row in rows), 3),
    }


def environment() -> dict[str, Any]:
    """Versions of the libraries and of this code, and the machine."""
    versions = {name: importlib.metadata.version(name) for name in _LIBRARIES}
    own = {"python": platform.python_version(), "rethink_keras": code_version()}
    return {"versions": {**own, **versions}, "device": devices.describe()}


def code_version(package: Path = _PACKAGE) -> str:
    """The version and 12 hex digits of the SHA-256 over names and contents of the sources that compute metrics.

    It tells runs of different code apart. It is no part of a checkpoint's identity: a run resumes after a change, and
    records both versions.
    """
    digest = hashlib.sha256()
    sources = (p for p in package.rglob("*.py") if p.relative_to(package).parts[0] not in _NOT_COMPUTING)
    for path in sorted(sources):
        name, content = path.relative_to(package).as_posix().encode(), path.read_bytes()
        digest.update(b"%d %s %d " % (len(name), name, len(content)) + content)
    return f"{rethink_keras.__version__}+{digest.hexdigest()[:12]}"


def fingerprint(arrays: Sequence) -> str:
    """SHA-256 (hex) of the values of arrays or variables."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(np.asarray(array)).data)
    return digest.hexdigest()
