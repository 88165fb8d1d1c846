"""The folder of one run and its files; a reader never sees half of one.

config.gin, metrics.csv, summary.json, model.keras, checkpoints/; confusion.json, tensorboard/, wandb/ for those who
look on.
"""

from __future__ import annotations

import contextlib
import csv
import difflib
import io
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rethink_keras.errors import UserError
from rethink_keras.files import LOCK, held, write_atomically
from rethink_keras.training.state import Row

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


class Workdir:
    """The folder of one run.

    Args:
        path: made if it is not there.
        writes: whether this process writes it; for a worker that does not, whatever would write does nothing.

    Raises:
        UserError: if the folder cannot be written.
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
        if not writes:
            return
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            write_atomically(self.path / ".writable", b"")
            (self.path / ".writable").unlink(missing_ok=True)  # another process may have been faster
        except OSError as error:
            raise UserError(
                f"The workdir {self.path} cannot be written ({error.strerror}). Name another with --workdir."
            ) from error

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Holds the workdir for this process.

        Raises:
            UserError: if another process holds it.
        """
        if not self.writes:
            yield
            return
        refusal = f"Another process is training in {self.path}. Wait for it, or name another --workdir."
        with held(self.path, refusal):
            for folder in (self.path, self.checkpoints):  # what a kill left of a file it was writing
                for partial in folder.glob(".*.tmp"):
                    partial.unlink(missing_ok=True)
            yield

    def claim(self, config: str) -> None:
        """Writes the configuration, or checks that it is the one that stands here.

        Raises:
            UserError: if the workdir holds a run of another configuration; shows the difference.
        """
        if not self.writes:
            return
        if not self.config.exists():
            write_atomically(self.config, config.encode())
            return
        there = self.config.read_text(encoding="utf-8", errors="replace")
        if there == config:
            return
        lines = difflib.unified_diff(
            _bindings(there), _bindings(config), "in the workdir", "asked for", lineterm="", n=0
        )
        raise UserError(
            f"{self.path} holds a run of another configuration. Name another --workdir, or take the "
            "configuration back; --overwrite starts afresh. The difference:\n" + "\n".join(lines)
        )

    def set_aside(self) -> Path | None:
        """Moves an earlier run out of the way, to the same name with a number; returns where to."""
        if not self.writes:
            return None
        if not any(item.name != LOCK for item in self.path.iterdir() if item != self.checkpoints) and not any(
            self.checkpoints.iterdir()
        ):
            return None
        here = self.path.resolve()
        number = 1
        while (aside := here.with_name(f"{here.name}.old-{number}")).exists():
            number += 1
        aside.mkdir()
        for item in self.path.iterdir():
            if item.name != LOCK:
                shutil.move(item, aside / item.name)
        self.checkpoints.mkdir()
        return aside

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
        """The summary that stands here, or None."""
        if not self.summary.exists():
            return None
        try:
            return json.loads(self.summary.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UserError(
                f"{self.summary} is damaged. Remove it: the checkpoints hold what it said, and the run goes on."
            ) from error


def default_workdir(gin_files: Sequence[str | Path]) -> Path:
    """`runs/` and the names of the gin files, such as runs/table1_alexnet+random_labels."""
    return Path("runs") / ("+".join(Path(f).stem for f in gin_files) or "default")


def _bindings(config: str) -> list[str]:
    return [line for line in config.splitlines() if line and not line.startswith("#")]
