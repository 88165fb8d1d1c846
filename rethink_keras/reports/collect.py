"""What a folder holds: sweeps, their runs, and runs outside any sweep."""

from __future__ import annotations

import csv
import dataclasses
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rethink_keras.errors import UserError
from rethink_keras.experiments import manifest
from rethink_keras.experiments.manifest import Manifest, PlannedRun
from rethink_keras.reports.paper import Cell

STATUSES = ("done", "running", "interrupted", "diverged", "failed", "damaged", "missing")
_KINDS: dict[str, type | tuple[type, ...]] = {
    "status": str,
    "epochs": int,
    "seed": int,
    "model": str,
    "dataset": str,
    "train_examples": int,
    "test_examples": int,
    "randomization": dict,
    "fingerprints": dict,
    "versions": dict,
    "device": str,
}
_KINDS_MEASURED: dict[str, type | tuple[type, ...]] = {
    "final": dict,
    "best_on_the_way": dict,
    "epochs_to_fit": (int, type(None)),
    "epochs_to_accuracy": (int, type(None)),
    "train_metrics": str,
    "fit_loss": (int, float),
    "fit_accuracy": (int, float),
}
_FIGURES = {
    "final": ("train_loss", "train_accuracy", "test_loss", "test_accuracy"),
    "best_on_the_way": ("test_accuracy",),
}


@dataclasses.dataclass(frozen=True)
class Run:
    """One run, done or not.

    Attributes:
        folder: its workdir.
        name: folder below the sweep's, or below the one that is reported on.
        status: one of `STATUSES`; 'running' is also that of a run that was killed.
        plan: what the sweep says of it; None outside a sweep.
        trouble: what is damaged, or why it failed; else empty.
        summary: of summary.json.
        rows: of metrics.csv; numbers are floats.
        config: text of config.gin.
    """

    folder: Path
    name: str
    status: str
    plan: PlannedRun | None = None
    trouble: str = ""
    summary: dict[str, Any] = dataclasses.field(default_factory=dict)
    rows: tuple[dict[str, Any], ...] = ()
    config: str = ""

    @property
    def epochs(self) -> int:
        """The last epoch that is measured."""
        return _last_epoch(self.rows)

    def progress(self) -> str:
        """Its status in words, such as 'interrupted after 12 of 69 epochs'."""
        planned = f" of {self.plan.epochs}" if self.plan else ""
        after = f" after {self.epochs}{planned} epochs"
        return {
            "done": f"done: {self.epochs} epochs",
            "running": f"running, or killed,{after}",
            "interrupted": f"interrupted{after}",
            "diverged": f"diverged{after}",
        }.get(self.status, self.status)


@dataclasses.dataclass(frozen=True)
class Sweep:
    """A sweep and what has become of its runs, in the plan's order."""

    folder: Path
    manifest: Manifest
    runs: tuple[Run, ...]

    @property
    def cells(self) -> dict[Cell, tuple[Run, ...]]:
        """Runs by network and variant, which differ in their seeds."""
        found: dict[Cell, list[Run]] = {}
        for run in self.runs:
            assert run.plan
            found.setdefault((run.plan.network, run.plan.variant), []).append(run)
        return {cell: tuple(runs) for cell, runs in found.items()}


@dataclasses.dataclass(frozen=True)
class Collection:
    """All that a folder holds.

    Attributes:
        folder: that one.
        sweeps: in the order of their folders.
        others: runs outside any sweep.
        troubles: sentences about sweeps that cannot be read.
    """

    folder: Path
    sweeps: tuple[Sweep, ...]
    others: tuple[Run, ...]
    troubles: tuple[str, ...]


def collect(folder: Path) -> Collection:
    """Reads all sweeps and runs in and below a folder.

    A damaged one is told of and does not stop the others.

    Raises:
        UserError: if there is no such folder, or nothing in it.
    """
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}. Give the --workdir of bin/sweep, or one above it.")
    sweeps, troubles = [], []
    for place in manifest.find(folder):
        try:
            sweeps.append(_read_sweep(place))
        except UserError as error:
            troubles.append(error.sentence)
    planned = {run.folder for sweep in sweeps for run in sweep.runs}
    others = tuple(
        read_run(path.parent, str(path.parent.relative_to(folder)))
        for path in sorted(folder.rglob("summary.json"))
        if path.parent not in planned
    )
    if not (sweeps or others or troubles):
        raise UserError(
            f"{folder} holds no sweep and no run. Give the --workdir of bin/sweep or bin/train, or one above it."
        )
    return Collection(folder, tuple(sweeps), others, tuple(troubles))


def read_run(folder: Path, name: str, plan: PlannedRun | None = None) -> Run:
    """Reads a workdir; what cannot be read makes it a damaged run."""
    try:
        config = folder / "config.gin"
        text = config.read_text(encoding="utf-8") if config.exists() else ""
        summary = _read_summary(folder / "summary.json")
        rows = _read_metrics(folder / "metrics.csv")
        if summary and not text:
            raise ValueError(f"{folder} has no config.gin")
        last = _last_epoch(rows)
        if summary and summary["status"] == "done" and last != summary["epochs"]:
            raise ValueError(
                f"{folder / 'metrics.csv'} ends with epoch {last}, but summary.json says {summary['epochs']}"
            )
        failure = folder / manifest.FAILURE
        why = failure.read_text(encoding="utf-8").strip() if failure.exists() else ""
    except (OSError, ValueError) as error:
        return Run(folder, name, "damaged", plan, f"{_what(error)}. Move this run away and make it again.")
    status = summary["status"] if summary else "missing"
    if failure.exists() and status not in ("done", "diverged"):
        return Run(folder, name, "failed", plan, why, summary, rows, text)
    return Run(folder, name, status, plan, "", summary, rows, text)


def _read_sweep(folder: Path) -> Sweep:
    plan = Manifest.read(folder)
    return Sweep(folder, plan, tuple(read_run(folder / run.name, run.name, run) for run in plan.runs))


def _read_summary(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        summary = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is no JSON") from error
    if not isinstance(summary, dict):
        raise ValueError(f"{path} is no summary")
    kinds = {**_KINDS, **(_KINDS_MEASURED if summary.get("epochs") else {})}
    for name, kind in kinds.items():
        if name not in summary:
            raise ValueError(f"{path} lacks {name}")
        if not isinstance(summary[name], kind):
            raise ValueError(f"{path} says nothing readable of {name}")
    if summary["status"] not in STATUSES:
        raise ValueError(f"{path} has the unknown status {summary['status']!r}")
    if summary["status"] == "done" and not summary["epochs"]:
        raise ValueError(f"{path} is done without an epoch")
    if not all(isinstance(text, str) for text in (*summary["versions"].values(), summary.get("date", ""))):
        raise ValueError(f"{path} says nothing readable of versions or date")
    for group, names in _FIGURES.items() if summary["epochs"] else ():
        for name in {*names, *summary[group]}:
            _number(summary[group].get(name), f"{name} in {path}")
    return summary


def _read_metrics(path: Path) -> tuple[dict[str, Any], ...]:
    if not path.exists():
        return ()
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = []
        for row in reader:
            if None in row or None in row.values():
                raise ValueError(f"{path} is cut off or torn in line {reader.line_num}")
            where = f"in line {reader.line_num} of {path}"
            rows.append(
                {
                    name: value
                    if name in ("train_metrics", "batch_norm")
                    else _number(value, f"{name} {where}")
                    for name, value in row.items()
                }
            )
    for name in ("epoch", "step", *_FIGURES["final"], "running_accuracy"):
        if rows and name not in rows[0]:
            raise ValueError(f"{path} has no column {name}")
    return tuple(rows)


def _last_epoch(rows: Sequence[dict[str, Any]]) -> int:
    return int(rows[-1]["epoch"]) if rows else 0


def _number(value: Any, what: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{what} is no number")
    return number


def _what(error: OSError | ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "A file of it is no text"
    if isinstance(error, OSError):
        return f"{error.filename} cannot be read ({error.strerror})"
    return str(error)
