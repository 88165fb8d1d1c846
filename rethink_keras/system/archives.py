"""Numpy archives on disk: a damaged one is told from one that cannot be read at the moment."""

from __future__ import annotations

import errno
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np

from rethink_keras.errors import UserError
from rethink_keras.system.disk_errors import unreadable


class DamagedError(Exception):
    """A file was read, and its content is provably not what was written."""


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Reads an archive of arrays; never executes anything.

    Args:
        path: the file that `np.savez` wrote.

    Returns:
        The arrays by name.

    Raises:
        FileNotFoundError: if there is no such file.
        DamagedError: if a checksum, the length or the format of what was read is wrong.
        DiskError: if the file cannot be read: that says nothing about its content.
        UserError: if the arrays do not fit into memory.
    """
    try:
        with path.open("rb") as file:
            return _arrays(file)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise unreadable(path, error) from error
    except MemoryError as error:
        raise UserError(
            f"{path} does not fit into memory. Nothing was changed: free some memory and run the same command again."
        ) from error


def check_archive(path: Path) -> None:
    """Reads a zip archive, such as `model.keras`, through and compares its checksums.

    Raises:
        FileNotFoundError: if there is no such file.
        DamagedError: if a checksum, the length or the format is wrong.
        OSError: if it cannot be read.
    """
    with path.open("rb") as file:
        _check(file)


def _arrays(file: BinaryIO) -> dict[str, np.ndarray]:
    _check(file)  # first, so that no damaged header asks for an array of any size
    file.seek(0)
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = dict(archive)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # numpy has several kinds for bytes that are not its own
        raise DamagedError(str(error)) from error
    if not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise DamagedError("it holds something that is no array")
    return arrays


def _check(file: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            wrong = archive.testzip()
    except OSError as error:
        if error.errno == errno.EINVAL:  # a damaged index names a place before the beginning of the file
            raise DamagedError("its index is wrong") from error
        raise
    except MemoryError:
        raise
    except Exception as error:  # zipfile and zlib have a dozen kinds for bytes that are not theirs
        raise DamagedError(str(error)) from error
    if wrong is not None:
        raise DamagedError(f"the checksum of {wrong} is wrong")
