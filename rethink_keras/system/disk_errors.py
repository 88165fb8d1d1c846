"""Errors of disks, file systems and paths in plain words, each with what to do."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from rethink_keras.errors import DiskError, UserError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FAILING = (*_FULL, errno.EIO)  # numbers of errors of the disk itself, not of a wrong path or of permissions


@contextlib.contextmanager
def explain_disk_errors(path: Path) -> Iterator[None]:
    """Turns an OSError of the block, which writes below a path, into a DiskError.

    Raises:
        DiskError: The disk is full or failing.
    """
    try:
        yield
    except BrokenPipeError:
        raise  # stdout, not the disk
    except OSError as error:
        why = error.strerror or str(error).splitlines()[0]
        raise DiskError(
            f"{path} cannot be written any more ({why}). {remedy(error)} and run the same command again: it "
            "resumes from the last checkpoint, which is whole."
        ) from error


def unwritable(folder: Path, error: OSError) -> UserError:
    """Returns the error to raise for a folder to which nothing was written yet."""
    if error.errno in FAILING:
        return DiskError(f"{folder} cannot be written ({error.strerror}). {remedy(error)}.")
    why = f"{error.filename or folder} is a file" if isinstance(error, FileExistsError) else error.strerror
    return unusable(folder, why)


def unusable(folder: Path, why: str | None) -> UserError:
    """Returns the error to raise for a path that cannot be a workdir."""
    return UserError(
        f"The workdir {ascii(str(folder))[1:-1][:200]} cannot be written ({why}). Name another with --workdir."
    )


def unreadable(path: Path, error: OSError) -> DiskError:
    """Returns the error to raise for a file that cannot be read, which does not mean that its content is damaged."""
    return DiskError(
        f"{path} cannot be read ({error.strerror or error}). Nothing was changed: repair the disk or the file's "
        "permissions and run the same command again."
    )


def remedy(error: OSError) -> str:
    """Returns what to do about a disk that is full or failing, without the full stop."""
    return "Make room" if error.errno in _FULL else "Repair the disk"
