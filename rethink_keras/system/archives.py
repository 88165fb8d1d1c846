"""NumPy archives on disk.

An archive whose content is wrong raises `DamagedError`; one that cannot be read raises an error of the disk, which says
nothing about its content.
"""

from __future__ import annotations

import contextlib
import errno
import zipfile
from collections.abc import Iterator
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
    with path.open("rb") as file, _damage_reported():
        _check(file)


def _arrays(file: BinaryIO) -> dict[str, np.ndarray]:
    with _damage_reported():
        _check(file)  # First, because a damaged header could claim an array of any size.
        file.seek(0)
        with np.load(file, allow_pickle=False) as archive:
            arrays = dict(archive)
    if not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise DamagedError("it contains something that is not an array")
    return arrays


def _check(file: BinaryIO) -> None:
    with zipfile.ZipFile(file) as archive:
        wrong = archive.testzip()
    if wrong is not None:
        raise DamagedError(f"the checksum of {wrong} is wrong")


@contextlib.contextmanager
def _damage_reported() -> Iterator[None]:
    """Turns errors of the block about an archive's content into DamagedError."""
    try:
        yield
    except (OSError, MemoryError) as error:
        if (
            getattr(error, "errno", None) == errno.EINVAL
        ):  # A damaged index points before the beginning of the file.
            raise DamagedError("its index is wrong") from error
        raise
    except (
        Exception
    ) as error:  # zipfile, zlib and NumPy raise a dozen kinds for bytes that NumPy did not write.
        raise DamagedError(str(error)) from error
