"""The columns of metrics.csv, and what their cells may contain."""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

from rethink_keras.system.text import label, printable
from rethink_keras.workdir.kinds import is_count, is_number, is_share

MetricsRow = dict[str, Any]
"""One epoch: numbers and texts by column. A column without a value in this epoch is not in the row."""

Kind = Literal["count", "number", "share", "text", "any"]


@dataclasses.dataclass(frozen=True)
class Column:
    """A column of metrics.csv.

    Attributes:
        name: Its heading.
        kind: What its cells contain: 'count' is an integer, 'share' a number from 0 to 1, 'any' a number or a text.
        is_needed: Whether a file without it, or without a value in it, is damaged. A column that was added later, or
            that only some runs have, is not needed.
    """

    name: str
    kind: Kind
    is_needed: bool = False

    def parse(self, cell: str) -> int | float | str:
        """Returns the value of a cell.

        Raises:
            ValueError: The cell contains a value of another kind.
        """
        if self.kind == "text":
            return printable(cell)
        try:
            number = float(cell)
        except ValueError:
            number = float("nan")
        if self.kind == "any":
            return number if is_number(number) else printable(cell)
        if self.kind == "count" and number.is_integer() and is_count(int(number)):
            return int(number)
        if (self.kind == "share" and is_share(number)) or (self.kind == "number" and is_number(number)):
            return number
        raise ValueError(f"{label(cell)!r} is no {self.kind}")


COLUMNS = (
    Column("epoch", "count", is_needed=True),  # Counted from 1.
    Column("step", "count", is_needed=True),  # Optimizer steps since the beginning of the run.
    Column("train_loss", "number", is_needed=True),  # Cross-entropy without the penalty.
    Column("train_accuracy", "share", is_needed=True),
    Column("test_loss", "number", is_needed=True),
    Column("test_accuracy", "share", is_needed=True),
    Column("learning_rate", "number"),
    Column("seconds", "number"),  # Since the row before, measurement included.
    Column("train_metrics", "text"),  # 'fixed_weights' or 'running_average': what train_* are.
    Column("batch_norm", "text"),  # The statistics that were used in evaluation; not in the first versions.
    Column("running_loss", "number"),
    Column("running_accuracy", "share", is_needed=True),
    Column("penalty", "number"),  # L2 penalty on the weights.
    Column("train_top5_accuracy", "share"),  # If `evaluation.top5`.
    Column("test_top5_accuracy", "share"),
)
"""The columns of training, in the order in which they are written.

A row may have other columns, such as the metric of an evaluator of yours. They are written after these, and are read as
a number or a text. Add a column here to fix its place and its kind.
"""

_BY_NAME = {column.name: column for column in COLUMNS}


def column_of(heading: str) -> Column:
    """Returns the column of a heading; one that this version does not know may contain anything."""
    return _BY_NAME.get(heading) or Column(printable(heading), "any")


def is_known(heading: str) -> bool:
    """Returns whether a heading is one of `COLUMNS`."""
    return heading in _BY_NAME


def check_row(row: MetricsRow) -> None:
    """Checks that metrics.csv can contain the values of a row. None leaves a cell empty.

    Raises:
        TypeError: A value is neither a Python number nor a text, such as a list or a tensor.
    """
    for name, value in row.items():
        if not isinstance(value, (int, float, str, type(None))):
            kind = type(value).__name__
            raise TypeError(f"The column {name} of metrics.csv has a {kind}. Give a Python number or a text.")
