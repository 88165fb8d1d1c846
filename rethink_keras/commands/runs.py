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

from absl import flags

from rethink_keras.commands import command_flags, runner, tables


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    values = command_flags.basic_flags()
    flags.DEFINE_string("workdir", "runs", "Folder to search.", flag_values=values)
    flags.DEFINE_multi_string(
        "filter", [], "Rows to show; repeatable, a row must pass all.", flag_values=values
    )
    flags.DEFINE_string(
        "sort", "run", "Column to sort by; - before it for descending order.", flag_values=values
    )
    flags.DEFINE_boolean("json", False, "Print JSON, for scripts.", flag_values=values)
    return runner.run_command(__doc__, values, lambda: _runs(values), argv)


def _runs(values: flags.FlagValues) -> None:
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
