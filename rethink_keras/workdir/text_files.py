"""Reads text files of runs and sweeps, which any program may have written or replaced.

A reader never waits for a pipe or a device, and never reads more than `MOST_BYTES` of a file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from rethink_keras.errors import DamagedError
from rethink_keras.system.text import printable

MOST_BYTES = 64 * 2**20  # metrics.csv of 100,000 epochs has 20 MB.


def read_text(path: Path) -> str:
    """Returns the content of a text file as it is.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: The file cannot be read, which says nothing about its content.
        DamagedError: It is not a regular file, too long or not UTF-8.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DamagedError(f"{shown(path)} is no file")
    except ValueError as error:  # The name contains a null byte or cannot be encoded.
        raise (
            error if isinstance(error, DamagedError) else DamagedError(f"{shown(path)} is no file")
        ) from error
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise DamagedError(f"{shown(path)} has more than {MOST_BYTES:,} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise DamagedError(f"{shown(path)} is no text") from error


def read_lines(path: Path) -> str:
    """Returns the content of a text file, with every character that a terminal would act on as an escape.

    Raises:
        The same errors as `read_text`.
    """
    return "\n".join(printable(line, keep="\t") for line in read_text(path).splitlines())


def shown(path: Path) -> str:
    """Returns a path for messages: its name may contain control characters."""
    return printable(str(path))


def find(folder: Path, name: str) -> Iterator[Path]:
    """Yields the files of a name in and below a folder, sorted by path. Folders that are links are not searched."""
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
            continue  # It may not be read, was removed, or its path is too long.
    yield from sorted(found)
