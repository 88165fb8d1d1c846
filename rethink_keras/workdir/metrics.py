"""Reads and formats metrics.csv: a row for each measured epoch."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rethink_keras.errors import DamagedError
from rethink_keras.workdir.columns import COLUMNS, Column, MetricsRow, check_row, column_of
from rethink_keras.workdir.text_files import read_text, shown


def read_metrics(path: Path) -> list[MetricsRow]:
    """Returns the rows of a metrics.csv, by ascending epoch.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: The file cannot be read, which says nothing about its content.
        DamagedError: It is cut off, has a cell of another kind than its column, or lacks a column that is needed.
    """
    return parse_metrics(read_text(path), shown(path))


def parse_metrics(text: str, name: str) -> list[MetricsRow]:
    """Returns the rows of the text of a metrics.csv; `name` is that of the file, for messages."""
    if not text.endswith("\n"):
        raise DamagedError(f"{name} is cut off")
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[MetricsRow] = []
    try:
        columns = [column_of(heading) for heading in next(lines)]
        if missing := {c.name for c in COLUMNS if c.is_needed} - {c.name for c in columns}:
            raise DamagedError(f"{name} has no column {min(missing)}")
        for cells in filter(None, lines):
            where = f"line {lines.line_num} of {name}"
            if len(cells) != len(columns):
                raise DamagedError(f"A row in {where} is cut off or torn")
            rows.append(_row(columns, cells, where))
            if len(rows) > 1 and rows[-1]["epoch"] <= rows[-2]["epoch"]:
                raise DamagedError(f"epoch in {where} does not ascend")
    except csv.Error as error:
        raise DamagedError(f"{name} is no table in line {lines.line_num} ({error})") from error
    return rows


def format_metrics(rows: Sequence[MetricsRow]) -> str:
    """Returns the text of a metrics.csv with the columns of all rows.

    The columns of training come first, in their order. A row that lacks a column, such as one that an earlier version
    wrote before the run was resumed, has an empty cell there.

    Raises:
        TypeError: A value is no number, no text and not None, which leaves a cell empty.
    """
    for row in rows:
        check_row(row)
    names = dict.fromkeys(name for row in rows for name in row)
    if "epoch" in names or not rows:  # Else the rows are those of an experiment without training.
        known = [c.name for c in COLUMNS if c.name in names or (c.is_needed and not rows)]
        names = dict.fromkeys([*known, *names])
    text = io.StringIO()
    writer = csv.DictWriter(text, list(names), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def first_epoch(rows: Iterable[MetricsRow], reached: Callable[[MetricsRow], bool]) -> int | None:
    """Returns the first epoch, counted from 1, whose row satisfies `reached`, or None."""
    return next((row["epoch"] for row in rows if reached(row)), None)


def _row(columns: list[Column], cells: list[str], where: str) -> MetricsRow:
    row: MetricsRow = {}
    for column, cell in zip(columns, cells, strict=True):
        if not cell and not column.is_needed:
            continue
        try:
            row[column.name] = column.parse(cell)
        except ValueError as error:
            raise DamagedError(f"{column.name} in {where} is no {column.kind}") from error
    return row
