"""The folder of a run: the paths of its files, and how they are written and read.

config.gin, metrics.csv, summary.json, model.keras, curves.png, checkpoints/; and confusion.json, tensorboard/, wandb/.
In a sweep also train.log and failed.txt. Each file is written to a temporary name and renamed, so that a reader never
sees a part.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from rethink_keras.errors import DamagedError, UserError
from rethink_keras.system.archives import check_archive
from rethink_keras.system.disk_errors import unreadable, unwritable
from rethink_keras.system.files import make_folder, remove_partial_files, write_atomically
from rethink_keras.system.locks import held
from rethink_keras.workdir import metrics, summary
from rethink_keras.workdir.columns import MetricsRow
from rethink_keras.workdir.configuration import difference
from rethink_keras.workdir.record import DAMAGED, FAILED, MISSING, RunRecord
from rethink_keras.workdir.summary import DONE, ENDED, Summary
from rethink_keras.workdir.text_files import read_lines, read_text, shown

T = TypeVar("T")


class Workdir:
    """The folder of one run.

    Attributes:
        config: The path of config.gin: the operative configuration, enough to run again.
        metrics: Of metrics.csv: one row per measured epoch.
        summary: Of summary.json: status, final and best metrics, versions, fingerprints.
        model: Of model.keras: the network for inference, once the run is done.
        curves: Of curves.png: the plot of the metrics by epoch, written when training ends.
        checkpoints: The folder of the checkpoints.
        confusion: Of confusion.json: the confusion of true and corrupted labels by epoch.
        failure: Of failed.txt: why a run of a sweep failed.

    Args:
        path: The folder.
        writes: Whether this process writes the files. For a worker that does not, every method that would write does
            nothing.
    """

    def __init__(self, path: str | Path, writes: bool = True):
        self.path = Path(path)
        self.writes = writes
        self.config = self.path / "config.gin"
        self.metrics = self.path / "metrics.csv"
        self.summary = self.path / "summary.json"
        self.model = self.path / "model.keras"
        self.curves = self.path / "curves.png"
        self.checkpoints = self.path / "checkpoints"
        self.confusion = self.path / "confusion.json"
        self.failure = self.path / "failed.txt"

    # Writing.

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Creates the folder and locks it for this process.

        Raises:
            UserError: Another process has locked it, or it cannot be written.
            DiskError: The disk is full or fails.
        """
        if not self.writes:
            yield
            return
        refusal = f"Another process is training in {self.path}. Wait for it, or name another --workdir."
        make_folder(self.path)
        with held(self.path, refusal):
            make_folder(self.checkpoints)
            self._check_writable()
            for folder in (self.path, self.checkpoints):
                remove_partial_files(folder)
            yield

    def check_configuration(self, config: str, defaults: Collection[str] = ()) -> None:
        """Checks that the workdir contains no run of another configuration.

        Args:
            config: The text of the present configuration.
            defaults: Its parameters that are not bound. Those that config.gin lacks were added to the code after the
                run began, and may differ.

        Raises:
            UserError: It does; the message shows the difference.
        """
        if not self.writes or not self.config.exists():
            return
        try:
            there = self.read_configuration()
        except DamagedError as error:
            raise UserError(f"{error}. Name another --workdir, or start afresh with --overwrite.") from error
        if lines := difference(there, config, defaults):
            raise UserError(
                f"{self.path} holds a run of another configuration. Name another --workdir, or undo "
                f"the change; --overwrite starts afresh. The difference:\n{lines}"
            )

    def write_configuration(self, config: str) -> None:
        """Writes config.gin unless it exists."""
        if self.writes and not self.config.exists():
            write_atomically(self.config, config.encode())

    def write_metrics(self, rows: Sequence[MetricsRow]) -> None:
        """Replaces metrics.csv by rows, whose columns may differ."""
        if self.writes:
            write_atomically(self.metrics, metrics.format_metrics(rows).encode())

    def write_summary(self, fields: Summary) -> None:
        """Replaces summary.json."""
        if self.writes:
            write_atomically(self.summary, (json.dumps(fields, indent=2) + "\n").encode())

    def _check_writable(self) -> None:
        """Writes a file twice, as checkpoints are written: to a new name, and over one that exists."""
        probe = self.path / ".writable"
        try:
            write_atomically(probe, b"")
            write_atomically(probe, b"")
            probe.unlink()
        except OSError as error:
            raise unwritable(self.path, error) from error

    # Reading one file to resume the run. A damaged file may be replaced; one that cannot be read at the moment may not,
    # which is why the two raise different errors.

    def read_configuration(self) -> str:
        """Returns the text of config.gin, or '' if there is no such file.

        Raises:
            DamagedError: It is not a text.
            DiskError: It cannot be read.
        """
        with _reading(self.config):
            return _without_file("", read_text, self.config)

    def read_metrics(self) -> list[MetricsRow]:
        """Returns the rows of metrics.csv.

        Raises:
            DamagedError: There is no such file, or it is damaged.
            DiskError: It cannot be read.
        """
        with _reading(self.metrics):
            return metrics.read_metrics(self.metrics)

    def has_metrics(self, rows: Sequence[MetricsRow]) -> bool:
        """Returns whether metrics.csv has exactly these rows.

        Raises:
            The same errors as `read_metrics`.
        """
        expected = metrics.parse_metrics(metrics.format_metrics(rows), self.metrics.name)
        return self.read_metrics() == expected

    def read_summary(self) -> Summary | None:
        """Returns the content of summary.json, or None if there is no such file.

        Raises:
            UserError: It is damaged.
            DiskError: It cannot be read.
        """
        try:
            with _reading(self.summary):
                return _without_file(None, summary.read_summary, self.summary)
        except DamagedError as error:
            raise UserError(
                f"{self.summary} is damaged ({error}), and there is no checkpoint to rebuild it from. Move the run "
                "away, or start afresh with --overwrite."
            ) from error

    def lacking(self) -> dict[str, str]:
        """Returns which of metrics.csv and model.keras a run that is done has lost: by name, 'missing' or the damage.

        Raises:
            UserError: The summary is damaged.
            DiskError: A file cannot be read.
        """
        found = {}
        epochs = (self.read_summary() or {}).get("epochs")
        try:
            if [row["epoch"] for row in self.read_metrics()[-1:]] != [epochs]:
                raise DamagedError(f"without epoch {epochs}")
        except DamagedError as error:
            found[self.metrics.name] = str(error)
        try:
            with _reading(self.model):
                check_archive(self.model)
        except DamagedError as error:
            found[self.model.name] = str(error)
        return found

    def read_failure(self) -> str:
        """Returns why a run of a sweep or a search failed, from failed.txt; empty if that is not known."""
        try:
            return _without_file("", read_lines, self.failure).strip()
        except (OSError, DamagedError) as error:
            return f"{self.failure.name} cannot be read ({error})."

    # Reading the whole run, for sweeps, searches and reports. No content of any file makes this fail.

    def read(self) -> RunRecord:
        """Returns the content of the run's files, or in which way they are missing or damaged."""
        try:
            return self._read()
        except OSError as error:
            why = f"{shown(Path(error.filename or self.path))} cannot be read ({error.strerror or error})"
            return RunRecord(self.path, DAMAGED, why)
        except DamagedError as error:
            return RunRecord(self.path, DAMAGED, str(error))

    def _read(self) -> RunRecord:
        config = _without_file("", read_lines, self.config)
        fields = _without_file(Summary(), summary.read_summary, self.summary)
        if fields and not config:
            raise DamagedError(f"{shown(self.path)} has no {self.config.name}")
        rows: list[MetricsRow] = []
        if summary.is_training(fields):
            rows = _without_file(rows, metrics.read_metrics, self.metrics)
            last = rows[-1]["epoch"] if rows else 0
            if fields.get("status") == DONE and last != fields["epochs"]:
                raise DamagedError(
                    f"{shown(self.metrics)} ends with epoch {last}, but {self.summary.name} says {fields['epochs']}"
                )
        status, trouble = fields.get("status", MISSING), ""
        failure = _without_file(None, read_lines, self.failure)
        if failure is not None and status not in ENDED:
            status, trouble = FAILED, failure.strip()
        return RunRecord(self.path, status, trouble, fields, tuple(rows), config)


def default_workdir(gin_files: Sequence[str | Path]) -> Path:
    """Returns `runs/` and the names of the gin files, such as runs/table1_alexnet+random_labels."""
    return Path("runs") / ("+".join(Path(f).stem for f in gin_files) or "default")


def _without_file(default: T, read: Callable[[Path], T], path: Path) -> T:
    """Returns what `read` returns for a file, or the default if there is no such file."""
    try:
        return read(path)
    except FileNotFoundError:
        return default


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Raises DamagedError if there is no such file, and DiskError if it cannot be read."""
    try:
        yield
    except FileNotFoundError as error:
        raise DamagedError("missing") from error
    except OSError as error:
        raise unreadable(path, error) from error
