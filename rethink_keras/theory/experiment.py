"""What the experiments of sections 4 and 5 share: workdir, stopping, times, summary."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from rethink_keras import config as configuration
from rethink_keras.data import randomization as randomizing
from rethink_keras.data.randomized import RandomizedSplit
from rethink_keras.data.splits import Splits
from rethink_keras.errors import StoppedBySignalError, UserError
from rethink_keras.system.disk_errors import explain_disk_errors
from rethink_keras.system.signals import StopRequest, stop_request
from rethink_keras.theory.memory import peak_gib
from rethink_keras.training import provenance
from rethink_keras.workdir.overwriting import check_replaceable, set_aside
from rethink_keras.workdir.workdir import Workdir


class Stopping(Exception):
    """Raised in the middle of a computation to leave it when a signal asked for it."""


@dataclasses.dataclass(frozen=True)
class Result:
    """What an experiment returns: `summary` as in summary.json, and its folder."""

    summary: dict[str, Any]
    workdir: Path


class Experiment:
    """One run of an experiment in its locked workdir.

    Args:
        folder: its files.
        stop: asks for a stop.
        overwrite: moves an earlier run in the workdir aside.
    """

    def __init__(self, folder: Workdir, stop: StopRequest, overwrite: bool):
        self.folder = folder
        self.facts: dict[str, Any] = {}
        self._stop = stop
        self._overwrite = overwrite
        self._begun = False
        self._versions: list[dict[str, str]] = []
        self._begin = time.perf_counter()
        self._cpu_begin = time.process_time()

    def claim(self, facts: dict[str, Any]) -> dict[str, Any] | None:
        """Takes the workdir for this configuration, all of whose gin names were used by now; see `begin`.

        Args:
            facts: of the data, for the summary.

        Returns:
            The summary, if this run was done before.

        Raises:
            UserError: if the workdir holds a run of another configuration, or one that is done and has lost what
                cannot be rebuilt.
        """
        for name in configuration.unused():
            print(f"Note: {name} is configured, but nothing in this run uses it.", flush=True)
        self.facts = {**facts, **provenance.environment()}
        if self._overwrite:
            return None
        self.folder.check_configuration(configuration.operative())
        before = self.folder.read_summary() or {}
        if before.get("status") == "done":
            self._rebuild(before)
            print(f"This run is done: {self.folder.summary} holds its metrics.", flush=True)
            return before
        if any(
            self.folder.checkpoints.iterdir()
        ):  # of a factor, which earlier versions of the code may have begun
            self._versions = before.get("computed_by") or [before["versions"]] if "versions" in before else []
        self.begin()
        return None

    def begin(self) -> None:
        """With --overwrite, moves an earlier run aside; call it once configuration and data are known to be good."""
        if self._begun:
            return
        self._begun = True
        if self._overwrite:
            set_aside(self.folder)
        if self.facts["versions"] not in self._versions:
            self._versions.append(self.facts["versions"])
        self.folder.write_configuration(configuration.operative())
        self.write("running", {})

    def _rebuild(self, before: dict[str, Any]) -> None:
        """Writes metrics.csv of a run that is done if it is missing."""
        if self.folder.metrics.exists():
            return
        if not before.get("rows"):
            raise UserError(
                f"The run in {self.folder.path} is done, but has lost {self.folder.metrics.name}. Name another "
                "--workdir, or start afresh with --overwrite."
            )
        self.write_rows(before["rows"])
        print(f"Rebuilt from {self.folder.summary.name}: {self.folder.metrics.name} (missing).", flush=True)

    def write(self, status: str, figures: dict[str, Any]) -> dict[str, Any]:
        """Writes summary.json: status, figures, times of this process, peak memory and facts; returns it."""
        spent = {
            "seconds": round(time.perf_counter() - self._begin, 1),
            "cpu_seconds": round(time.process_time() - self._cpu_begin, 1),
            "peak_memory_gib": round(peak_gib(), 2),
        }
        written = {"status": status, **figures, **spent, **self.facts, "computed_by": self._versions}
        self.folder.write_summary(written)
        return written

    def write_rows(self, rows: list[dict[str, Any]]) -> None:
        """Writes rows of figures as metrics.csv; lists in them stand in the summary alone."""
        self.folder.write_metrics(
            [{name: value for name, value in row.items() if not isinstance(value, list)} for row in rows]
        )

    def check_stop(self) -> None:
        """Raises Stopping if a signal has asked for a stop; any thread may call."""
        if self._stop:
            raise Stopping

    def stopped(self, where: str) -> StoppedBySignalError:
        """What to raise after a stop: says where, and that the same command goes on."""
        if self._begun:
            self.write("interrupted", {})
        number = self._stop.number
        assert number is not None
        return StoppedBySignalError(f"Stopped {where}. The same command goes on from there.", number)

    @contextlib.contextmanager
    def stage(
        self, name: str, total: float, unit: str, scale: float = 1.0, *, quiet: bool = False
    ) -> Iterator[tqdm]:
        """Says what is computed and how long it took, with a bar and the time left on a terminal.

        Args:
            name: of the work.
            total: its size.
            unit: of the size.
            scale: size in units.
            quiet: only the bar.
        """
        begin = time.perf_counter()
        with tqdm(
            total=total * scale,
            desc=name,
            unit=unit,
            disable=None,
            leave=False,
            dynamic_ncols=True,
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed} gone, {remaining} left, {rate_fmt}",
        ) as bar:
            yield bar
        if not quiet:
            print(f"{name}: {time.perf_counter() - begin:.1f} s", flush=True)


@contextlib.contextmanager
def experiment(workdir: str | Path, overwrite: bool) -> Iterator[Experiment]:
    """Opens and locks a workdir and listens to signals.

    Raises:
        UserError: if the workdir cannot be used.
        DiskError: if it cannot be written any more.
    """
    folder = Workdir(workdir)
    if overwrite:
        check_replaceable(folder)
    with stop_request() as stop, folder.locked(), explain_disk_errors(folder.path):
        run = Experiment(folder, stop, overwrite)
        try:
            yield run
        except Stopping:
            raise run.stopped("before the end") from None


def facts_of(splits: Splits, train: RandomizedSplit, test: RandomizedSplit, seed: int) -> dict[str, Any]:
    """What a summary says of the data."""
    return {
        "seed": seed,
        "dataset": train.source.name,
        "train_examples": train.num_examples,
        "test_examples": test.num_examples,
        "randomization": dataclasses.asdict(splits.randomization),
        "fingerprints": {
            "train_data": train.source.fingerprint,
            "test_data": test.source.fingerprint,
            "randomization": randomizing.fingerprint(splits.randomization, train.source.num_classes),
        },
    }
