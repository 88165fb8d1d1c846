"""The table of the runs below a folder, which can be filtered and sorted."""

from __future__ import annotations

import difflib
import operator
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rethink_keras.errors import UserError
from rethink_keras.workdir.text_files import find
from rethink_keras.workdir.workdir import Workdir

COLUMNS = (
    "run",
    "configuration",
    "seed",
    "status",
    "epoch",
    "train_accuracy",
    "test_accuracy",
    "epochs_to_fit",
    "age",
)
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "!=": operator.ne,
    ">=": operator.ge,
    "<=": operator.le,
    "=": operator.eq,
    ">": operator.gt,
    "<": operator.lt,
    "~": lambda value, part: part in str(value),
}


def rows(folder: Path, now: float | None = None) -> list[dict[str, Any]]:
    """Returns a row for each run in and below a folder, with the values of `COLUMNS` by name.

    Accuracies are from 0 to 1, the age is in seconds, and a value that is not known is None.

    Args:
        folder: The folder to search.
        now: The time from which ages are counted, in seconds since 1970; None is the present.

    Raises:
        UserError: There is no such folder, or no run in it.
    """
    paths = list(find(folder, "summary.json"))
    if not paths:
        what = "holds no run" if folder.is_dir() else "is no folder"
        raise UserError(f"{folder} {what}. Give the folder of a run, or one above it, to --workdir.")
    now = time.time() if now is None else now
    return [_row(folder, path, now) for path in paths]


def selected(table: list[dict[str, Any]], filters: Sequence[str]) -> list[dict[str, Any]]:
    """Returns the rows that satisfy all filters, such as 'status=done', 'test_accuracy>0.5' or 'run~mlp'.

    Raises:
        UserError: A filter has no known column, no operator or no number where one is needed.
    """
    for text in filters:
        found = re.fullmatch(r"\s*(\w+)\s*(!=|>=|<=|=|>|<|~)\s*(.*?)\s*", text)
        if not found:
            raise UserError(
                f"The filter {text!r} is not understood. Write a column, one of {' '.join(_OPERATORS)} and a value."
            )
        column, sign, value = found.groups()
        _check_column(column)
        table = [row for row in table if _holds(row[column], sign, value, text)]
    return table


def ordered(table: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    """Returns the rows sorted by a column, descending if its name begins with '-'. Rows without a value come last.

    Raises:
        UserError: There is no such column.
    """
    descending, name = column.startswith("-"), column.removeprefix("-")
    _check_column(name)
    known = sorted(
        (row for row in table if row[name] is not None), key=lambda row: row[name], reverse=descending
    )
    return [*known, *(row for row in table if row[name] is None)]


def _row(folder: Path, path: Path, now: float) -> dict[str, Any]:
    run = Workdir(path.parent).read()
    return {
        "run": str(path.parent.relative_to(folder)),  # Not escaped, so that a script finds the folder.
        "configuration": _description(run.summary),
        "seed": run.summary.get("seed"),
        "status": run.status,
        "epoch": run.epochs,
        "train_accuracy": run.final.get("train_accuracy"),
        "test_accuracy": run.final.get("test_accuracy"),
        "epochs_to_fit": run.summary.get("epochs_to_fit"),
        "age": _age(path, now),
    }


def _age(path: Path, now: float) -> float | None:
    try:
        return max(0.0, now - path.stat().st_mtime)
    except OSError:  # It was removed meanwhile.
        return None


def _description(summary: dict[str, Any]) -> str:
    """Returns network, data set, what is randomized, and whether there is explicit regularization."""
    randomization = summary.get("randomization", {})
    words = [str(summary.get("model", "")), str(summary.get("dataset", ""))]
    for kind in ("labels", "pixels"):
        if (what := randomization.get(kind, "true")) != "true":
            share = f" {randomization.get('corruption')}" if what == "partially_corrupted" else ""
            words.append(f"{what}{share} {kind}")
    if summary.get("explicit_regularization"):
        words.append("regularized")
    return ", ".join(word for word in words if word)


def _holds(value: Any, sign: str, wanted: str, text: str) -> bool:
    if value is None:
        return sign == "!="
    if sign == "~" or isinstance(value, str):
        return _OPERATORS[sign](value, wanted)
    try:
        return _OPERATORS[sign](value, float(wanted))
    except ValueError as error:
        raise UserError(f"The filter {text!r} compares a number with {wanted!r}. Give a number.") from error


def _check_column(name: str) -> None:
    if name not in COLUMNS:
        near = difflib.get_close_matches(name, COLUMNS, 1, 0.5)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are {', '.join(COLUMNS)}."
        raise UserError(f"There is no column {name!r}. {hint}")
