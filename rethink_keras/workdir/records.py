"""Reads the files of runs and sweeps, whoever wrote them: the values are typed, finite and bounded, or it says why not.

Nothing is executed, no other file than the named one is read, and of that no more than `MOST_BYTES`. The texts of a
run come out printable: what a terminal would act on, and what no encoding can hold, has become an escape.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import math
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rethink_keras.system.text import printable

STATUSES = ("done", "running", "interrupted", "diverged")
COLUMNS = (
    *("epoch", "step", "train_loss", "train_accuracy", "test_loss", "test_accuracy"),
    "running_accuracy",
)
"""Columns that metrics.csv has at least."""
TEXT_COLUMNS = ("train_metrics", "batch_norm")
MOST_BYTES = 64 * 2**20  # of one file; 100,000 epochs take 20 MB
MOST_DEPTH = 20  # of JSON
MOST_INTEGER = 2**53
MOST_NUMBER = 1e39  # float32 ends before it

Row = dict[str, Any]


class DamagedError(ValueError):
    """A file cannot be used. The message is a phrase that names the file and says why, without a full stop."""


@dataclasses.dataclass(frozen=True)
class Record:
    """The files of one run.

    Attributes:
        config: text of config.gin; empty without one.
        summary: of summary.json; empty without one.
        rows: of metrics.csv, numbers but for `TEXT_COLUMNS`; none without one or of section 4 or 5.
    """

    config: str
    summary: dict[str, Any]
    rows: tuple[Row, ...]


def read(folder: Path) -> Record:
    """Reads config.gin, summary.json and metrics.csv of a run; a file that is not there is empty.

    Raises:
        DamagedError: if a file cannot be used, or two of them contradict each other.
    """
    config, summary = read_text(folder / "config.gin"), read_summary(folder / "summary.json")
    rows = read_metrics(folder / "metrics.csv") if is_of_training(summary) else ()
    if summary and not config:
        raise DamagedError(f"{_name(folder)} has no config.gin")
    last = last_epoch(rows)
    if summary.get("status") == "done" and is_of_training(summary) and last != summary["epochs"]:
        raise DamagedError(
            f"{_name(folder / 'metrics.csv')} ends with epoch {last}, but summary.json says {summary['epochs']}"
        )
    return Record(config, summary, rows)


def read_text(path: Path) -> str:
    """The printable lines of a file; empty without one.

    Raises:
        DamagedError: if it cannot be read or is not UTF-8.
    """
    try:
        return "\n".join(printable(line, keep="\t") for line in _text(path).splitlines())
    except FileNotFoundError:
        return ""


def read_json(path: Path) -> Any:
    """The value of a JSON file whose numbers are finite and which is not nested deeply, its texts as they are.

    Raises:
        DamagedError: if it is another kind of file.
        FileNotFoundError: if there is none.
    """
    text = _text(path)
    try:
        value = json.loads(text)
    except ValueError as error:
        raise DamagedError(f"{_name(path)} is no JSON") from error
    except RecursionError as error:
        raise DamagedError(f"{_name(path)} is nested too deeply") from error
    if why := _unlike_ours(value):
        raise DamagedError(f"{_name(path)} {why}")
    return value


def read_summary(path: Path) -> dict[str, Any]:
    """The summary.json of a run; empty without one.

    That of an experiment of section 4 or 5 need not have what the training of a network has.

    Raises:
        DamagedError: if it cannot be used.
    """
    try:
        summary = _printable(read_json(path))
    except FileNotFoundError:
        return {}
    if not isinstance(summary, dict):
        raise DamagedError(f"{_name(path)} is no summary")
    needed = {**_FACTS, **(_METRICS if summary.get("epochs") else {})} if is_of_training(summary) else _STATUS
    if missing := [name for name in needed if name not in summary]:
        raise DamagedError(f"{_name(path)} lacks {missing[0]}")
    for name, check in {**_FACTS, **_METRICS, **_OPTIONAL}.items():
        if name in summary and not check(summary[name]):
            raise DamagedError(f"{_name(path)} says nothing readable of {name}")
    if is_of_training(summary) and summary["status"] == "done" and not summary["epochs"]:
        raise DamagedError(f"{_name(path)} is done without an epoch")
    return summary


def read_metrics(path: Path) -> tuple[Row, ...]:
    """The rows of a metrics.csv, by ascending epoch; none without one.

    Raises:
        DamagedError: if it cannot be used.
    """
    rows: list[Row] = []
    try:
        for where, cells in _table(path):
            rows.append(_row(cells, where))
            if len(rows) > 1 and rows[-1]["epoch"] <= rows[-2]["epoch"]:
                raise DamagedError(f"epoch {where} does not ascend")
    except FileNotFoundError:
        return ()
    return tuple(rows)


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file, texts by column, each with a text in every column.

    Raises:
        DamagedError: if it is torn or no table.
        FileNotFoundError: if there is none.
    """
    return [cells for _, cells in _table(path)]


def is_of_training(summary: dict[str, Any]) -> bool:
    """Whether a summary is that of a network's training, and not of an experiment of section 4 or 5."""
    return _THEORY not in summary or "epochs" in summary


def last_epoch(rows: tuple[Row, ...]) -> int:
    """The last epoch that is measured; 0 without one."""
    return rows[-1]["epoch"] if rows else 0


def find(folder: Path, name: str) -> Iterator[Path]:
    """Files of a name in and below a folder, in the order of their paths; a folder that is a link is not entered."""
    waiting, found = [str(folder)], []
    while waiting:
        here = waiting.pop()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    if entry.name == name:
                        found.append(Path(here) / name)
                    elif entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError:
            continue  # it is not ours to read, has gone, or lies too deep for any path
    yield from sorted(found)


def _table(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Where each row of a CSV file stands, in words, and its cells."""
    reader = csv.DictReader(io.StringIO(_text(path), newline=""))
    try:
        for row in reader:
            where = f"in line {reader.line_num} of {_name(path)}"
            if None in row or None in row.values():
                raise DamagedError(f"A row {where} is cut off or torn")
            yield where, row
    except csv.Error as error:
        raise DamagedError(f"{_name(path)} is no table in line {reader.line_num} ({error})") from error


def _row(cells: dict[str, str], where: str) -> Row:
    for name in COLUMNS:
        if name not in cells:
            raise DamagedError(f"A row {where} has no column {name}")
    return {printable(name): _cell(name, text, where) for name, text in cells.items()}


def _cell(name: str, text: str, where: str) -> float | int | str:
    if name in TEXT_COLUMNS:
        return printable(text)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if name in ("epoch", "step"):
        if not (number.is_integer() and 0 <= number <= MOST_INTEGER):
            raise DamagedError(f"{name} {where} is no count")
        return int(number)
    if not _is_share(number) if name.endswith("_accuracy") else not _is_number(number):
        raise DamagedError(f"{printable(name)[:80]} {where} is no number that it can be")
    return number


def _text(path: Path) -> str:
    """The content of a file. Never waits for a pipe, nor reads a device for ever."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DamagedError(f"{_name(path)} is no file")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        if isinstance(error, DamagedError):
            raise
        why = error.strerror if isinstance(error, OSError) else error
        raise DamagedError(f"{_name(path)} cannot be read ({why})") from error
    if len(content) > MOST_BYTES:
        raise DamagedError(f"{_name(path)} has more than {MOST_BYTES:,} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise DamagedError(f"{_name(path)} is no text") from error


def _name(path: Path) -> str:
    return printable(str(path))


def _unlike_ours(value: Any, depth: int = 0) -> str:
    """Why no writer of ours makes such a JSON value; empty if one could."""
    if depth > MOST_DEPTH:
        return "is nested too deeply"
    if isinstance(value, (list, dict)):
        items = value.values() if isinstance(value, dict) else value
        return next(filter(None, (_unlike_ours(item, depth + 1) for item in items)), "")
    if isinstance(value, (int, float)) and not abs(value) <= MOST_NUMBER:
        return "holds a number that is not finite or too large"
    return ""


def _printable(value: Any) -> Any:
    """A JSON value with printable texts."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [_printable(item) for item in value]
    if isinstance(value, dict):
        return {printable(name): _printable(item) for name, item in value.items()}
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= MOST_NUMBER


def _is_share(value: object) -> bool:
    """A mean of zeros and ones; float32 may round it up."""
    return _is_number(value) and -1e-6 <= value <= 1 + 1e-6  # type: ignore[operator]


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_INTEGER


def _is_count_or_none(value: object) -> bool:
    return value is None or _is_count(value)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _are_texts(value: object) -> bool:
    return isinstance(value, dict) and all(map(_is_text, value.values()))


def _is_randomization(value: object) -> bool:
    return isinstance(value, dict) and not any(isinstance(item, (dict, list)) for item in value.values())


def _are_metrics(*needed: str) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        return (
            isinstance(value, dict)
            and set(needed) <= set(value)
            and all(
                _is_share(number) if name.endswith("_accuracy") else _is_number(number)
                for name, number in value.items()
            )
        )

    return check


_THEORY = "cpu_seconds"  # which only experiments of sections 4 and 5 write
_STATUS: dict[str, Callable[[object], bool]] = {
    "status": lambda value: isinstance(value, str) and value in STATUSES
}
_FACTS: dict[str, Callable[[object], bool]] = {
    **_STATUS,
    "epochs": _is_count,
    "seed": _is_count,
    "model": _is_text,
    "dataset": _is_text,
    "train_examples": _is_count,
    "test_examples": _is_count,
    "randomization": _is_randomization,
    "fingerprints": _are_texts,
    "versions": _are_texts,
    "device": _is_text,
}
_METRICS: dict[str, Callable[[object], bool]] = {
    "final": _are_metrics("train_loss", "train_accuracy", "test_loss", "test_accuracy"),
    "best_on_the_way": _are_metrics("test_accuracy"),
    "epochs_to_fit": _is_count_or_none,
    "epochs_to_accuracy": _is_count_or_none,
    "train_metrics": _is_text,
    "fit_loss": _is_number,
    "fit_accuracy": _is_number,
}
_OPTIONAL: dict[str, Callable[[object], bool]] = {
    "date": _is_text,
    "explicit_regularization": lambda value: isinstance(value, bool),
    "computed_by": lambda value: isinstance(value, list) and all(map(_are_texts, value)),
}
