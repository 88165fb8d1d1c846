"""Prints tables of cells that are data: names and texts from files and users."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from rethink_keras.system.text import printable


def print_table(heads: Sequence[tuple[str, dict[str, Any]]], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table in which neither markup nor control characters of a cell have an effect.

    Args:
        heads: Title and `rich`'s options of each column.
        rows: Cells of each row.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title, options in heads:
        table.add_column(Text(printable(title)), **options)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    # In a file or a pipe, lines are as long as they need to be.
    _console()(highlight=False, width=None if sys.stdout.isatty() else 240).print(table)


def _console() -> type:
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise  # the BrokenPipeError that is being handled; rich would exit with 1

    return Plain
