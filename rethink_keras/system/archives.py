"""NumPy archives on disk.

An archive whose content is wrong raises `DamagedError`; one that cannot be read raises an error of the disk, which says
nothing about its content.
"""

from __future__ import annotations

import contextlib
import errno
import zipfile
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from rethink_keras.errors import DamagedError, UserError
from rethink_keras.system.disk_errors import unreadable

CHUNK = 2**20  # bytes read at a time


class Head(NamedTuple):
    """Shape and dtype of an array in an archive."""

    shape: tuple[int, ...]
    dtype: np.dtype


def read_heads(path: Path) -> dict[str, Head]:
    """Returns shape and dtype of each array of an archive, without reading the arrays.

    Args:
        path: A file that `np.savez` wrote.

    Raises:
        FileNotFoundError: There is no such file.
        DamagedError: The format is wrong. Checksums are not compared.
        DiskError: The file cannot be read, which says nothing about its content.
    """
    with _opened(path) as file, _damage_reported(), zipfile.ZipFile(file) as archive:
        return {info.filename.removesuffix(".npy"): _head(archive, info) for info in archive.infolist()}


def read_arrays(path: Path, names: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Returns the arrays of an archive by name. It never executes anything.

    Args:
        path: A file that `np.savez` wrote.
        names: The arrays that are read, those of them that there are; None for all.

    Raises:
        FileNotFoundError: There is no such file.
        DamagedError: A checksum, the length or the format is wrong.
        DiskError: The file cannot be read, which says nothing about its content.
        UserError: The arrays do not fit into memory.
    """
    try:
        with _opened(path) as file:
            return _arrays(file, names)
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


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """Opens a file for reading; an error of the disk becomes a DiskError."""
    try:
        with path.open("rb") as file:
            yield file
    except FileNotFoundError:
        raise
    except OSError as error:
        raise unreadable(path, error) from error


def _head(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Head:
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        if version not in readers:
            raise DamagedError(f"{info.filename} is of an unknown version of NumPy's format")
        shape, _, dtype = readers[version](member)
    return Head(shape, dtype)


def _arrays(file: BinaryIO, names: Collection[str] | None) -> dict[str, np.ndarray]:
    with _damage_reported():
        _check(file, names)  # First, because a damaged header could claim an array of any size.
        file.seek(0)
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files if names is None or name in names}
    if not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise DamagedError("it contains something that is not an array")
    return arrays


def _check(file: BinaryIO, names: Collection[str] | None = None) -> None:
    """Compares the checksums of the named arrays; None names all members of the archive."""
    with zipfile.ZipFile(file) as archive:
        for member in archive.namelist():
            if names is None or member.removesuffix(".npy") in names:
                with archive.open(member) as content:
                    while content.read(CHUNK):
                        pass


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
