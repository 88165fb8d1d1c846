"""Where commands write: standard streams that may be closed or full, and tables of names that are data."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from rethink_keras.errors import DiskError
from rethink_keras.system.text import printable


class Output:
    """A text stream that tells its own errors from those of the workdir's disk.

    Args:
        stream: what is written to.
    """

    def __init__(self, stream: Any):
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes text; what the stream's encoding lacks becomes an escape.

        Raises:
            BrokenPipeError: if the reader has gone.
            DiskError: if the stream cannot be written for another reason.
        """
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        with _told():
            return self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))

    def flush(self) -> None:
        """Writes what is buffered; raises as `write` does."""
        with _told():
            self._stream.flush()


@contextlib.contextmanager
def standard_streams() -> Iterator[None]:
    """Has stdout tell its errors, and opens what of the standard streams is closed, so that no file takes its place."""
    open_standard_streams()
    with contextlib.redirect_stdout(Output(sys.stdout)):
        yield


def open_standard_streams() -> None:
    """Opens the null device in place of each of stdin, stdout and stderr that is closed."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        with contextlib.suppress(OSError):
            os.fstat(number)
            continue
        null = os.open(os.devnull, os.O_RDWR)  # the lowest free number
        if null != number:
            os.dup2(null, number)
            os.close(null)
        os.set_inheritable(number, True)
        setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))


def drop(stream: Any) -> None:
    """Lets what is still buffered for a stream go nowhere, so that the interpreter does not try it again at its end."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def print_table(heads: Sequence[tuple[str, dict[str, Any]]], rows: Sequence[Sequence[str]]) -> None:
    """Prints a table of cells that are data: neither markup nor control characters in them mean anything.

    Args:
        heads: a title and `rich`'s options a column.
        rows: a text a column.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title, options in heads:
        table.add_column(Text(printable(title)), **options)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    # Into a file or a pipe lines are as long as they need to be.
    _console()(highlight=False, width=None if sys.stdout.isatty() else 240).print(table)


def _console() -> type:
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise  # the error that is being handled; rich would end the process with 1

    return Plain


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise DiskError(
            f"The output cannot be written ({error.strerror}). Make room, or redirect it elsewhere."
        ) from error
