"""NumPy archives on disk.

An archive whose content is wrong raises `DamagedError`; one that cannot be read raises an error of the disk, which says
nothing about its content.
"""

from __future__ import annotations

import errno
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np

from rethink_keras.errors import DamagedError, UserError
from rethink_keras.system.disk_errors import unreadable


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Returns the arrays of an archive by name. It never executes anything.

    Args:
        path: A file that `np.savez` wrote.

    Raises:
        FileNotFoundError: There is no such file.
        DamagedError: A checksum, the length or the format is wrong.
        DiskError: The file cannot be read, which says nothing about its content.
        UserError: The arrays do not fit into memory.
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
    """Checks a zip archive, such as `model.keras`: reads all of it and compares its checksums.

    Raises:
        FileNotFoundError: There is no such file.
        DamagedError: A checksum, the length or the format is wrong.
        OSError: The file cannot be read.
    """
    with path.open("rb") as file:
        _check(file)


def _arrays(file: BinaryIO) -> dict[str, np.ndarray]:
    _check(file)  # First, because a damaged header could claim an array of any size.
    file.seek(0)
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = dict(archive)
    except (OSError, MemoryError):
        raise
    except Exception as error:  # NumPy raises several kinds of errors for bytes that it did not write.
        raise DamagedError(str(error)) from error
    if not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise DamagedError("it contains something that is not an array")
    return arrays


def _check(file: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            wrong = archive.testzip()
    except OSError as error:
        if error.errno == errno.EINVAL:  # A damaged index points before the beginning of the file.
            raise DamagedError("its index is wrong") from error
        raise
    except MemoryError:
        raise
    except Exception as error:  # zipfile and zlib raise a dozen kinds of errors.
        raise DamagedError(str(error)) from error
    if wrong is not None:
        raise DamagedError(f"the checksum of {wrong} is wrong")
