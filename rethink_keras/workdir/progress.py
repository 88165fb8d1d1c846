"""What sweeps and searches read of a run's workdir; whatever a file holds, it is read or it is damaged."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

from rethink_keras.workdir import records

DONE, DIVERGED, RUNNING, INTERRUPTED = "done", "diverged", "running", "interrupted"
MISSING, DAMAGED = "missing", "damaged"
ENDED = (DONE, DIVERGED)
MOST_EPOCHS = 10**9  # no run has as many: a number beyond is damage


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a run has come.

    Attributes:
        status: of its `summary.json`; 'missing' without one, 'damaged' if its files cannot be read.
        epochs: finished and measured.
        seconds: that they took.
    """

    status: str
    epochs: int
    seconds: float


def progress_of(workdir: Path) -> Progress:
    """Reads how far a run has come; half of what another process writes is never seen."""
    try:
        status = str(read_summary(workdir).get("status"))
        rows = read_rows(workdir)
        epochs = int(rows[-1]["epoch"]) if rows else 0
        seconds = sum(float(row["seconds"]) for row in rows)
    except FileNotFoundError:
        return Progress(MISSING, 0, 0.0)
    except (ValueError, KeyError):
        return Progress(DAMAGED, 0, 0.0)  # bin/train says what to do about it
    known = status in (DONE, DIVERGED, RUNNING, INTERRUPTED)
    if not (known and 0 <= epochs <= MOST_EPOCHS and math.isfinite(seconds)):
        return Progress(DAMAGED, 0, 0.0)
    return Progress(status, epochs, seconds)


def final_metrics(workdir: Path) -> str:
    """The final accuracies of a run that is done, for people."""
    try:
        summary = read_summary(workdir)
        accuracies = [float(summary["final"][name]) for name in ("train_accuracy", "test_accuracy")]
        return f"{summary['epochs']} epochs, train {accuracies[0]:.2%}, test {accuracies[1]:.2%}"
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return f"done, but {workdir / 'summary.json'} cannot be read"


def configuration_of(workdir: Path) -> str:
    """Fingerprint of the configuration that a run was made with; empty if its summary does not name one."""
    try:
        return str(read_summary(workdir).get("configuration", ""))
    except (OSError, ValueError):
        return ""


def read_summary(workdir: Path) -> dict[str, Any]:
    """What `summary.json` holds.

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: if it cannot be read, or holds something else.
    """
    found = records.read_json(workdir / "summary.json")
    if not isinstance(found, dict):
        raise ValueError(f"{workdir / 'summary.json'} is no summary")
    return found


def read_rows(workdir: Path) -> list[dict[str, str]]:
    """The rows of `metrics.csv`.

    Raises:
        FileNotFoundError: if it is not there.
        ValueError: if it cannot be read, or is torn.
    """
    return records.read_table(workdir / "metrics.csv")
