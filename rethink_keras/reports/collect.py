"""Finds the sweeps in and below a folder, their runs, and the runs outside any sweep."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from rethink_keras.errors import UserError
from rethink_keras.experiments.planned_run import PlannedRun
from rethink_keras.experiments.sweeps import manifest
from rethink_keras.experiments.sweeps.manifest import Manifest
from rethink_keras.reports.paper_numbers import Cell
from rethink_keras.system.text import printable
from rethink_keras.workdir.record import DAMAGED, RunRecord
from rethink_keras.workdir.text_files import find
from rethink_keras.workdir.workdir import Workdir


@dataclasses.dataclass(frozen=True)
class Run(RunRecord):
    """The record of a run and its place in the folder that is reported on.

    Attributes:
        name: Its folder below the sweep's, or below the one that is reported on.
        plan: The run as its sweep plans it; None outside a sweep.
    """

    name: str = ""
    plan: PlannedRun | None = None

    def progress(self, planned_epochs: int | None = None) -> str:
        """Returns the status in words, such as 'interrupted after 12 of 69 epochs'."""
        return super().progress(self.plan.epochs if self.plan else planned_epochs)


@dataclasses.dataclass(frozen=True)
class SweepRecord:
    """A sweep and its runs, in the order of its plan."""

    folder: Path
    manifest: Manifest
    runs: tuple[Run, ...]

    @property
    def cells(self) -> dict[Cell, tuple[Run, ...]]:
        """The runs by network and variant. Those of a cell differ in their seeds."""
        found: dict[Cell, list[Run]] = {}
        for run in self.runs:
            assert run.plan
            found.setdefault((run.plan.network, run.plan.variant), []).append(run)
        return {cell: tuple(runs) for cell, runs in found.items()}


@dataclasses.dataclass(frozen=True)
class Collection:
    """The content of a folder.

    Attributes:
        folder: Its path.
        sweeps: The sweeps, in the order of their folders.
        others: The runs outside any sweep.
        troubles: A sentence for each sweep that cannot be read.
    """

    folder: Path
    sweeps: tuple[SweepRecord, ...]
    others: tuple[Run, ...]
    troubles: tuple[str, ...]


def collect(folder: Path) -> Collection:
    """Returns all sweeps and runs in and below a folder, the damaged ones as such.

    Raises:
        UserError: There is no such folder, or nothing in it.
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
        for path in find(folder, "summary.json")
        if path.parent not in planned
    )
    if not (sweeps or others or troubles):
        raise UserError(
            f"{folder} holds no sweep and no run. Give the --workdir of bin/sweep or bin/train, or one above it."
        )
    return Collection(folder, tuple(sweeps), others, tuple(troubles))


def read_run(folder: Path, name: str, plan: PlannedRun | None = None) -> Run:
    """Reads a workdir."""
    record = Workdir(folder).read()
    if plan and record.summary and not record.is_training:
        record = RunRecord(folder, DAMAGED, f"{name} is no run of bin/train")
    if record.status == DAMAGED:
        record = dataclasses.replace(
            record, trouble=f"{record.trouble}. Move this run away and make it again."
        )
    return Run(**vars(record), name=name, plan=plan)


def _read_sweep(folder: Path) -> SweepRecord:
    plan = Manifest.read(folder)
    return SweepRecord(folder, plan, tuple(read_run(folder / run.name, run.name, run) for run in plan.runs))
