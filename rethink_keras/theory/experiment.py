"""What the experiments of sections 4 and 5 share: workdir, stopping, times and summary."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tqdm import tqdm

from rethink_keras import config as configuration
from rethink_keras.data.randomized_split import RandomizedSplit
from rethink_keras.data.splits import Splits
from rethink_keras.errors import StoppedBySignalError, UserError
from rethink_keras.system import machine
from rethink_keras.system.disk_errors import explain_disk_errors
from rethink_keras.system.signals import StopRequest, stop_request
from rethink_keras.training import provenance
from rethink_keras.training.distribution.machine_line import theory_line
from rethink_keras.workdir.overwriting import check_replaceable, set_aside
from rethink_keras.workdir.workdir import Workdir


class ComputationStopped(Exception):
    """Raised inside a computation to leave it because a signal requested a stop."""


@dataclasses.dataclass(frozen=True)
class ExperimentResult:
    """The result of an experiment.

    Attributes:
        summary: Content of summary.json.
        workdir: Folder of the run.
    """

    summary: dict[str, Any]
    workdir: Path


class Experiment:
    """A run of an experiment in its locked workdir.

    An experiment first calls `claim`, which takes the workdir, then `begin` before it writes anything, and at the end
    `write("done", ...)`.

    Args:
        folder: The workdir.
        stop: True once a signal requests a stop.
        overwrite: Whether an earlier run in the workdir is moved aside.

    Attributes:
        folder: The workdir.
        facts: The part of the summary about data, versions and machine.
        has_begun: Whether the run has written files.
    """

    def __init__(self, folder: Workdir, stop: StopRequest, overwrite: bool):
        self.folder = folder
        self.facts: dict[str, Any] = {}
        self._stop = stop
        self._overwrite = overwrite
        self.has_begun = False
        self._versions: list[dict[str, str]] = []
        self._start = time.perf_counter()
        self._cpu_start = time.process_time()

    def claim(self, facts: dict[str, Any]) -> dict[str, Any] | None:
        """Takes the workdir for this configuration. All of its gin parameters must have been used by now.

        Args:
            facts: The part of the summary about the data.

        Returns:
            The summary if this run is done already; else None.

        Raises:
            UserError: The workdir has a run of another configuration, or one that is done and has lost files that
                cannot be rebuilt.
        """
        for name in configuration.unused():
            print(f"Note: {name} is configured, but nothing in this run uses it.", flush=True)
        print(theory_line(), flush=True)
        self.facts = {**facts, **provenance.environment()}
        if self._overwrite:
            return None  # `begin` moves the earlier run aside
        self.folder.check_configuration(configuration.operative())
        earlier = self.folder.read_summary() or {}
        if earlier.get("status") == "done":
            self._rebuild(earlier)
            print(f"This run is done: {self.folder.summary} holds its metrics.", flush=True)
            return earlier
        if any(self.folder.checkpoints.iterdir()):  # parts of a factor, maybe by earlier versions of the code
            self._versions = earlier.get("computed_by") or (
                [earlier["versions"]] if "versions" in earlier else []
            )
        self.begin()
        return None

    def begin(self) -> None:
        """Writes the configuration and a first summary; with `overwrite`, moves an earlier run aside before.

        Call it when the configuration and the data are known to be good. Further calls do nothing.
        """
        if self.has_begun:
            return
        self.has_begun = True
        if self._overwrite:
            set_aside(self.folder)
        if self.facts["versions"] not in self._versions:
            self._versions.append(self.facts["versions"])
        self.folder.write_configuration(configuration.operative())
        self.write("running", {})

    def _rebuild(self, earlier: dict[str, Any]) -> None:
        """Writes metrics.csv of a run that is done if it is missing."""
        if self.folder.metrics.exists():
            return
        if not earlier.get("rows"):
            raise UserError(
                f"The run in {self.folder.path} is done, but has lost {self.folder.metrics.name}. Name another "
                "--workdir, or start afresh with --overwrite."
            )
        self.write_rows(earlier["rows"])
        print(f"Rebuilt from {self.folder.summary.name}: {self.folder.metrics.name} (missing).", flush=True)

    def write(self, status: str, metrics: dict[str, Any]) -> dict[str, Any]:
        """Writes summary.json and returns its content: status, metrics, times of this process, memory and facts."""
        cost = {
            "seconds": round(time.perf_counter() - self._start, 1),
            "cpu_seconds": round(time.process_time() - self._cpu_start, 1),
            "peak_memory_gib": round(machine.peak_memory() / 2**30, 2),
        }
        content = {"status": status, **metrics, **cost, **self.facts, "computed_by": self._versions}
        self.folder.write_summary(content)
        return content

    def write_rows(self, rows: list[dict[str, Any]]) -> None:
        """Writes metrics.csv from rows of metrics. Columns with lists are left to the summary."""
        self.folder.write_metrics(
            [{name: value for name, value in row.items() if not isinstance(value, list)} for row in rows]
        )

    def check_stop(self) -> None:
        """Raises ComputationStopped if a signal has requested a stop. Any thread may call it."""
        if self._stop:
            raise ComputationStopped

    @contextlib.contextmanager
    def stage(
        self, name: str, total: float, unit: str, scale: float = 1.0, *, quiet: bool = False
    ) -> Iterator[Callable[[float], None]]:
        """Shows a progress bar with the time left on a terminal, and prints how long the stage took.

        Args:
            name: What is computed.
            total: Size of the work.
            unit: Unit of the bar.
            scale: Factor from `total` to `unit`.
            quiet: Whether nothing is printed.

        Yields:
            A function that advances the bar by a part of `total`. Any thread may call it. It raises ComputationStopped
            if a signal has requested a stop.
        """
        lock = threading.Lock()
        start = time.perf_counter()
        with tqdm(
            total=total * scale,
            desc=name,
            unit=unit,
            disable=None,
            leave=False,
            dynamic_ncols=True,
            bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed} gone, {remaining} left, {rate_fmt}",
        ) as bar:

            def advance(done: float) -> None:
                self.check_stop()
                with lock:
                    bar.update(done * scale)

            yield advance
        if not quiet:
            print(f"{name}: {time.perf_counter() - start:.1f} s", flush=True)


@contextlib.contextmanager
def experiment(workdir: str | Path, overwrite: bool) -> Iterator[Experiment]:
    """Locks a workdir, handles signals and yields a run in it.

    Raises:
        UserError: The workdir cannot be used.
        DiskError: The workdir's disk is full or failing.
        StoppedBySignalError: SIGINT, SIGTERM or SIGHUP stopped the run.
    """
    folder = Workdir(workdir)
    if overwrite:
        check_replaceable(folder)
    with stop_request() as stop, folder.locked(), explain_disk_errors(folder.path):
        run = Experiment(folder, stop, overwrite)
        try:
            yield run
        except ComputationStopped:
            if run.has_begun:
                run.write("interrupted", {})
            assert stop.number is not None
            message = "Stopped before the end. The same command resumes the run."
            raise StoppedBySignalError(message, stop.number) from None


def facts_of(splits: Splits, train: RandomizedSplit, test: RandomizedSplit, seed: int) -> dict[str, Any]:
    """Returns the part of a summary about the data."""
    return {
        "seed": seed,
        "dataset": train.source.name,
        "train_examples": train.num_examples,
        "test_examples": test.num_examples,
        "randomization": dataclasses.asdict(splits.randomization),
        "fingerprints": {
            "train_data": train.source.fingerprint,
            "test_data": test.source.fingerprint,
            "randomization": splits.randomization.fingerprint(train.source.num_classes),
        },
    }
