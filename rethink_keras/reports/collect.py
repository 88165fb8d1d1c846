"""What a folder holds: sweeps, their runs, and runs outside any sweep."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from rethink_keras.errors import UserError
from rethink_keras.experiments.sweeps import manifest
from rethink_keras.experiments.sweeps.manifest import Manifest, PlannedRun
from rethink_keras.reports.paper_numbers import Cell
from rethink_keras.system.text import printable
from rethink_keras.workdir import records

STATUSES = ("done", "running", "interrupted", "diverged", "failed", "damaged", "missing")


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
        return records.last_epoch(self.rows)

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
class SweepRecord:
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
    sweeps: tuple[SweepRecord, ...]
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
        read_run(path.parent, printable(str(path.parent.relative_to(folder))))
        for path in records.find(folder, "summary.json")
        if path.parent not in planned
    )
    if not (sweeps or others or troubles):
        raise UserError(
            f"{folder} holds no sweep and no run. Give the --workdir of bin/sweep or bin/train, or one above it."
        )
    return Collection(folder, tuple(sweeps), others, tuple(troubles))


def read_run(folder: Path, name: str, plan: PlannedRun | None = None) -> Run:
    """Reads a workdir; what cannot be used makes it a damaged run."""
    try:
        record = records.read(folder)
        if plan and not records.is_of_training(record.summary):
            raise records.DamagedError(f"{name} is no run of bin/train")
        why = records.read_text(folder / manifest.FAILURE).strip()
    except records.DamagedError as error:
        return Run(folder, name, "damaged", plan, f"{error}. Move this run away and make it again.")
    status = record.summary.get("status", "missing")
    is_failed = status not in ("done", "diverged") and (why or (folder / manifest.FAILURE).exists())
    return Run(
        folder,
        name,
        "failed" if is_failed else status,
        plan,
        why if is_failed else "",
        record.summary,
        record.rows,
        record.config,
    )


def _read_sweep(folder: Path) -> SweepRecord:
    plan = Manifest.read(folder)
    return SweepRecord(folder, plan, tuple(read_run(folder / run.name, run.name, run) for run in plan.runs))
