"""The folder of one run and its files; a reader never sees half of one.

config.gin, metrics.csv, summary.json, model.keras, checkpoints/; and confusion.json, tensorboard/, wandb/.
"""

from __future__ import annotations

import contextlib
import csv
import difflib
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typeguard

from rethink_keras.errors import UserError
from rethink_keras.system.archives import DamagedError, check_archive
from rethink_keras.system.disk_errors import unreadable, unwritable
from rethink_keras.system.files import make_folder, remove_partial_files, write_atomically
from rethink_keras.system.locks import held
from rethink_keras.training.state import ALL_ITEMS, Row

COLUMNS = (
    "epoch",
    "step",
    "train_loss",
    "train_accuracy",
    "test_loss",
    "test_accuracy",
    "learning_rate",
    "seconds",
    "train_metrics",
    "batch_norm",
    "running_loss",
    "running_accuracy",
    "penalty",
)

_TEXTS = ("train_metrics", "batch_norm")  # columns that hold no numbers
# What is read of a summary here.
_KINDS: dict[str, Any] = {
    "status": str,
    "epochs": int,
    "fingerprints": dict[str, str],
    "versions": dict[str, str],
    "computed_by": list[dict[str, str]],
    "rows": list[dict[str, Any]],
}


class Workdir:
    """The folder of one run.

    Args:
        path: of the folder.
        writes: whether this process writes it; for a worker that does not, whatever would write does nothing.
    """

    def __init__(self, path: str | Path, writes: bool = True):
        self.path = Path(path)
        self.writes = writes
        self.config = self.path / "config.gin"
        self.metrics = self.path / "metrics.csv"
        self.summary = self.path / "summary.json"
        self.model = self.path / "model.keras"
        self.checkpoints = self.path / "checkpoints"
        self.confusion = self.path / "confusion.json"

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Makes the workdir and holds it for this process.

        Raises:
            UserError: if another process holds it, or it cannot be written.
            DiskError: if the disk is full or fails.
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

    def _check_writable(self) -> None:
        """Writes a file twice, as checkpoints are written: to a new name, and over one that exists."""
        probe = self.path / ".writable"
        try:
            write_atomically(probe, b"")
            write_atomically(probe, b"")
            probe.unlink()
        except OSError as error:
            raise unwritable(self.path, error) from error

    def check_configuration(self, config: str) -> None:
        """Checks that the workdir holds no run of another configuration.

        Raises:
            UserError: if it does; shows the difference.
        """
        if not self.writes or not self.config.exists():
            return
        there = self.config.read_text(encoding="utf-8", errors="replace")
        if there == config:
            return
        lines = difflib.unified_diff(
            _bindings(there), _bindings(config), "in the workdir", "requested", lineterm="", n=0
        )
        raise UserError(
            f"{self.path} holds a run of another configuration. Name another --workdir, or take the "
            "configuration back; --overwrite starts afresh. The difference:\n" + "\n".join(lines)
        )

    def write_configuration(self, config: str) -> None:
        """Writes config.gin unless it exists."""
        if self.writes and not self.config.exists():
            write_atomically(self.config, config.encode())

    def write_metrics(self, rows: list[Row]) -> None:
        """Writes metrics.csv anew: a row an epoch."""
        if not self.writes:
            return
        text = io.StringIO()
        extra = [name for row in rows[:1] for name in row if name not in COLUMNS]
        writer = csv.DictWriter(text, [*COLUMNS, *extra], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_atomically(self.metrics, text.getvalue().encode())

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Writes summary.json anew."""
        if self.writes:
            write_atomically(self.summary, (json.dumps(summary, indent=2) + "\n").encode())

    def read_summary(self) -> dict[str, Any] | None:
        """The content of summary.json, or None if there is no such file.

        Raises:
            UserError: if it is damaged.
            DiskError: if it cannot be read.
        """
        try:
            summary = typeguard.check_type(
                json.loads(self.summary.read_text(encoding="utf-8")), dict[str, Any]
            )
            for name, kind in _KINDS.items():
                if name in summary or name == "status":
                    typeguard.check_type(summary.get(name), kind, collection_check_strategy=ALL_ITEMS)
            return summary
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unreadable(self.summary, error) from error
        except (ValueError, RecursionError, typeguard.TypeCheckError) as error:
            raise UserError(
                f"{self.summary} is damaged, and nothing is left to write it anew from. Move the run away, or start "
                "afresh with --overwrite."
            ) from error

    def read_metrics(self) -> list[Row]:
        """The rows of metrics.csv.

        Raises:
            DamagedError: if there is no such file, or it is torn.
            DiskError: if it cannot be read.
        """
        try:
            text = self.metrics.read_text(encoding="utf-8")
            rows = list(csv.DictReader(io.StringIO(text), strict=True))
            if not text.endswith("\n") or any(None in row or None in row.values() for row in rows):
                raise DamagedError("torn")
            return [{name: _value(name, text) for name, text in row.items() if text} for row in rows]
        except FileNotFoundError as error:
            raise DamagedError("missing") from error
        except OSError as error:
            raise unreadable(self.metrics, error) from error
        except (ValueError, csv.Error) as error:
            raise DamagedError(str(error)) from error

    def lacking(self) -> dict[str, str]:
        """What is missing or damaged of metrics.csv and model.keras of a run that is done, and why, by name.

        Raises:
            UserError: if summary.json is damaged.
            DiskError: if a file cannot be read.
        """
        found = {}
        epochs = (self.read_summary() or {}).get("epochs")
        try:
            if [row.get("epoch") for row in self.read_metrics()[-1:]] != [epochs]:
                raise DamagedError(f"without epoch {epochs}")
        except DamagedError as error:
            found[self.metrics.name] = str(error)
        try:
            check_archive(self.model)
        except FileNotFoundError:
            found[self.model.name] = "missing"
        except OSError as error:
            raise unreadable(self.model, error) from error
        except DamagedError as error:
            found[self.model.name] = str(error)
        return found


def default_workdir(gin_files: Sequence[str | Path]) -> Path:
    """`runs/` and the names of the gin files, such as runs/table1_alexnet+random_labels."""
    return Path("runs") / ("+".join(Path(f).stem for f in gin_files) or "default")


def _bindings(config: str) -> list[str]:
    return [line for line in config.splitlines() if line and not line.startswith("#")]


def _value(column: str, text: str) -> int | float | str:
    if column in ("epoch", "step"):
        return int(text)
    return text if column in _TEXTS else float(text)
