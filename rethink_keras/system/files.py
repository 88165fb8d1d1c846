"""Files that appear whole or not at all, and folders to write them to."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from rethink_keras.system.disk_errors import unusable, unwritable

PARTIAL = ".*.tmp*"  # matches the temporary names of files that are being written, or that a kill left


def write_atomically(path: Path, content: bytes) -> None:
    """Writes bytes to a temporary name beside a path, syncs the disk and renames."""
    with open_atomically(path) as file:
        file.write(content)


@contextlib.contextmanager
def open_atomically(path: Path) -> Iterator[BinaryIO]:
    """Opens a file that takes its name when the block ends, whole and on disk. After an error there is no file."""
    with replacing(path) as temporary, temporary.open("xb") as file:
        yield file


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path of the same suffix for a library to write, and renames it when the block ends."""
    temporary = _temporary(path)
    try:
        yield temporary
        _sync(temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    try:
        _sync(path.parent)  # brings the new name to the disk
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot sync a folder
            raise


def remove_partial_files(folder: Path) -> None:
    """Removes the temporary files that a kill left in a folder. This process must hold the folder's lock."""
    for partial in folder.glob(PARTIAL):
        partial.unlink(missing_ok=True)


def check_folder(folder: Path) -> None:
    """Raises UserError if a path cannot be a folder's name, or is the name of something else."""
    try:
        str(folder).encode()
        mode = folder.stat().st_mode
    except FileNotFoundError:
        return
    except UnicodeEncodeError as error:
        raise unusable(folder, "its name is no UTF-8") from error
    except (OSError, ValueError) as error:
        raise unusable(folder, getattr(error, "strerror", "") or str(error)) from error
    if not stat.S_ISDIR(mode):
        raise unusable(folder, "it is a file")


def make_folder(folder: Path) -> None:
    """Makes a folder, and those above it, unless it exists.

    Raises:
        UserError: The path cannot be a folder, or must not be written.
        DiskError: The disk is full or failing.
    """
    check_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _temporary(path: Path) -> Path:
    """Returns a temporary name beside a path that no other process takes, on any host or in any container."""
    name = os.fsdecode(os.fsencode(path.stem)[:100])  # a file's name has at most 255 bytes
    host = re.sub(r"[^\w-]", "-", socket.gethostname(), flags=re.ASCII)[:40]
    return path.with_name(f".{name}.{host}.{os.getpid()}.{secrets.token_hex(4)}.tmp{path.suffix}")
