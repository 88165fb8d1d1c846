"""A terminal that is closed while a process prints to it: what is printed from then on is lost, and nothing fails."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import termios
from collections.abc import Iterator
from typing import Any, TextIO


@contextlib.contextmanager
def survive_its_end() -> Iterator[None]:
    """While the block runs, and after it, output to a terminal that was closed goes nowhere instead of raising."""
    with contextlib.ExitStack() as stack:
        if sys.stdout.isatty():
            stack.enter_context(contextlib.redirect_stdout(_Screen(sys.stdout)))
        if sys.stderr.isatty():
            stack.enter_context(contextlib.redirect_stderr(_Screen(sys.stderr)))
        try:
            yield
        finally:
            for stream in (sys.stdout, sys.stderr):
                if _is_closed(stream):
                    _send_nowhere(stream)


class _Screen:
    """A text stream to a terminal; behaves as the stream does, until the terminal is closed."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes a text; returns its length."""
        try:
            return self._stream.write(text)
        except Exception:  # an OSError, or what a stream makes of it
            self._forget()
            return len(text)

    def flush(self) -> None:
        """Brings what was written to the terminal."""
        try:
            self._stream.flush()
        except Exception:
            self._forget()

    def _forget(self) -> None:
        """Raises the present error again unless the terminal was closed."""
        if not _is_closed(self._stream):
            raise
        _send_nowhere(self._stream)


def _is_closed(stream: TextIO) -> bool:
    try:
        termios.tcgetattr(stream.fileno())
    except (termios.error, OSError, ValueError, AttributeError) as error:
        return isinstance(error, termios.error) and error.args[0] == errno.EIO
    return False


def _send_nowhere(stream: TextIO) -> None:
    """Points the stream's file at /dev/null, so that its buffer can still be written."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
