"""Lists the runs in and below a folder in a table.

  bin/runs
  bin/runs --workdir=runs/table1 --filter='status=done' --filter='run~mlp' --sort=-test_accuracy
  bin/runs --workdir=runs/table1 --json

Columns: run, configuration, seed, status, epoch, train_accuracy, test_accuracy (from 0 to 1), epochs_to_fit, age
(seconds). A filter is a column, one of = != < > <= >= ~ (contains), and a value.

Exit codes: 0 done, 2 bad usage or nothing to show, 5 the output cannot be written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rethink_keras.commands import command_flags, runner, tables


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    values = command_flags.basic_flags()
    values.string("workdir", "Folder to search.", default="runs")
    values.strings("filter", "Rows to show; repeatable, a row must pass all.")
    values.string("sort", "Column to sort by; - before it for descending order.", default="run")
    values.boolean("json", "Print JSON, for scripts.")
    return runner.run_command(__doc__, values, lambda: _runs(values), argv)


def _runs(values: command_flags.Flags) -> None:
    from rethink_keras.reports import runs

    table = runs.ordered(runs.selected(runs.rows(Path(values.workdir)), values.filter), values.sort)
    if values.json:
        print(json.dumps(table, indent=1))
    else:
        _show(table)


_HEADS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("run", {"overflow": "fold"}),
    ("configuration", {"overflow": "fold"}),
    *(
        (name, {"justify": "left" if name == "status" else "right", "no_wrap": True})
        for name in ("seed", "status", "epoch", "train %", "test %", "fit after", "age")
    ),
)


def _show(table: list[dict[str, Any]]) -> None:
    cells = [
        (
            row["run"],
            row["configuration"],
            _cell(row["seed"]),
            row["status"],
            _cell(row["epoch"]),
            _cell(row["train_accuracy"], _percent),
            _cell(row["test_accuracy"], _percent),
            _cell(row["epochs_to_fit"]),
            _cell(row["age"], _age),
        )
        for row in table
    ]
    tables.print_table(_HEADS, cells)
    print(f"{len(table)} runs")


def _cell(value: Any, written: Callable[[Any], str] = str) -> str:
    return "" if value is None else written(value)


def _percent(value: float) -> str:
    return f"{100 * value:.2f}"


def _age(seconds: float) -> str:
    if seconds >= 86_400:
        return f"{seconds // 86_400:.0f} d"
    return f"{seconds / 3600:.0f} h" if seconds >= 3600 else f"{seconds / 60:.0f} min"
