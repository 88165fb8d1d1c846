"""Files of which a reader never sees half, and folders that one process holds at a time."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import filelock

from rethink_keras.errors import DiskError, UserError

LOCK = ".lock"


def write_atomically(path: Path, content: bytes) -> None:
    """Writes to a temporary name beside `path`, to disk, then renames."""
    with open_atomically(path) as file:
        file.write(content)


@contextlib.contextmanager
def open_atomically(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the name `path` when the block ends, whole and on disk, or not at all."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with aside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)  # the new name itself is to be on the disk, too
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def disk_errors_told(path: Path) -> Iterator[None]:
    """Tells in plain words that a disk is full or failing.

    Raises:
        DiskError: in place of an OSError of the block.
    """
    try:
        yield
    except BrokenPipeError:
        raise  # the terminal, not the disk
    except OSError as error:
        why = error.strerror or str(error).splitlines()[0]
        raise DiskError(
            f"{path} cannot be written any more ({why}). Make room and run the same command again: it goes on "
            "from the last checkpoint, which is whole."
        ) from error


@contextlib.contextmanager
def held(folder: Path, refusal: str) -> Iterator[None]:
    """Holds a folder for this process; the operating system lets go of it even in a crash.

    Raises:
        UserError: with the sentence `refusal`, if another process holds it.
    """
    lock = filelock.FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise UserError(refusal) from error
    try:
        yield
    finally:
        lock.release()
