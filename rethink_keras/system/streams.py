"""Standard streams that are closed, full, a terminal that goes away, or of a narrow encoding."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import termios
from collections.abc import Iterator
from typing import Any

from rethink_keras.errors import DiskError


class GuardedStream:
    """A text stream whose errors are told apart from those of the workdir's disk.

    What the stream's encoding lacks is written as an escape. When the terminal behind the stream is closed, output is
    lost and nothing fails, so that there is time to save.

    Args:
        stream: The stream to write to.
    """

    def __init__(self, stream: Any):
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes a text and returns its length.

        Raises:
            BrokenPipeError: The reader is gone.
            DiskError: The stream cannot be written for another reason, such as a full disk.
        """
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        with self._guarded():
            self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        return len(text)

    def flush(self) -> None:
        """Writes what is buffered. Raises as `write` does."""
        with self._guarded():
            self._stream.flush()

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            if not _is_closed_terminal(self._stream):
                raise DiskError(
                    f"The output cannot be written ({error.strerror}). Make room, or redirect it elsewhere."
                ) from error
            discard(self._stream)


@contextlib.contextmanager
def standard_streams() -> Iterator[None]:
    """Guards stdout and stderr until the context ends, and opens those standard streams that are closed."""
    _open_closed_streams()
    with contextlib.redirect_stdout(_guarded(sys.stdout)), contextlib.redirect_stderr(_guarded(sys.stderr)):
        yield


@contextlib.contextmanager
def terminal_may_close() -> Iterator[None]:
    """Guards stdout and stderr where they are a terminal; also output after the context fails nothing."""
    with contextlib.ExitStack() as stack:
        if sys.stdout.isatty():
            stack.enter_context(contextlib.redirect_stdout(_guarded(sys.stdout)))
        if sys.stderr.isatty():
            stack.enter_context(contextlib.redirect_stderr(_guarded(sys.stderr)))
        try:
            yield
        finally:
            for stream in (sys.stdout, sys.stderr):
                if _is_closed_terminal(stream):
                    discard(stream)


def _open_closed_streams() -> None:
    """Opens the null device in place of each closed standard stream, so that no other file takes its number."""
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


def discard(stream: Any) -> None:
    """Points a stream's file at the null device, so that what is buffered is lost and nothing fails at exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)


def _guarded(stream: Any) -> Any:
    return stream if isinstance(stream, GuardedStream) else GuardedStream(stream)


def _is_closed_terminal(stream: Any) -> bool:
    try:
        termios.tcgetattr(stream.fileno())
    except (termios.error, OSError, ValueError, AttributeError) as error:
        return isinstance(error, termios.error) and error.args[0] == errno.EIO
    return False
