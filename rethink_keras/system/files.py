"""Files of which a reader never sees half, folders that one process holds at a time, and errors of disks."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import secrets
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import filelock
import psutil

from rethink_keras.errors import DiskError, UserError

LOCK = ".lock"
PARTIAL = ".*.tmp*"  # matches the temporary names of files that are being written, or that a kill left
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FAILING = (*_FULL, errno.EIO)
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
_HELD = (errno.EAGAIN, errno.EACCES)
# NFS and Lustre can be mounted so that flock is not passed on to the server.
_LOCAL_LOCKS = {"nolock", "local_lock=all", "local_lock=flock", "localflock"}


def write_atomically(path: Path, content: bytes) -> None:
    """Writes to a temporary name beside `path`, to disk, then renames."""
    with open_atomically(path) as file:
        file.write(content)


@contextlib.contextmanager
def open_atomically(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the name `path` when the block ends, whole and on disk, or not at all."""
    with replacing(path) as aside, aside.open("xb") as file:
        yield file


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path with the suffix of `path`, for a library to write; `open_atomically` says what becomes of it."""
    aside = _partial(path)
    try:
        yield aside
        _sync(aside)
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    try:
        _sync(path.parent)  # the new name itself is to be on the disk, too
    except OSError as error:
        if error.errno != errno.EINVAL:  # some network file systems cannot sync a folder
            raise


def remove_partial_files(folder: Path) -> None:
    """Removes what a kill left of files that were being written; the folder must be held."""
    for partial in folder.glob(PARTIAL):
        partial.unlink(missing_ok=True)


def check_folder(folder: Path) -> None:
    """Raises UserError if `folder` is no name of a folder, or that of something else."""
    try:
        str(folder).encode()
        mode = folder.stat().st_mode
    except FileNotFoundError:
        return
    except UnicodeEncodeError as error:
        raise _unusable(folder, "its name is no UTF-8") from error
    except (OSError, ValueError) as error:
        raise _unusable(folder, getattr(error, "strerror", "") or str(error)) from error
    if not stat.S_ISDIR(mode):
        raise _unusable(folder, "it is a file")


def make_folder(folder: Path) -> None:
    """Makes a folder, and those above it, unless it exists.

    Raises:
        UserError: if `folder` cannot be a folder, or must not be written.
        DiskError: if the disk is full or fails.
    """
    check_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


def unwritable(folder: Path, error: OSError) -> UserError:
    """The error to raise for a folder that cannot be written from the beginning on."""
    if error.errno in _FAILING:
        return DiskError(f"{folder} cannot be written ({error.strerror}). {_remedy(error)}.")
    why = f"{error.filename or folder} is a file" if isinstance(error, FileExistsError) else error.strerror
    return _unusable(folder, why)


def _unusable(folder: Path, why: str | None) -> UserError:
    return UserError(
        f"The workdir {ascii(str(folder))[1:-1][:200]} cannot be written ({why}). Name another with --workdir."
    )


def unreadable(path: Path, error: OSError) -> DiskError:
    """The error to raise for a file that cannot be read, which says nothing about its content."""
    return DiskError(
        f"{path} cannot be read ({error.strerror or error}). Nothing was changed: mend that and run the same command "
        "again."
    )


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
            f"{path} cannot be written any more ({why}). {_remedy(error)} and run the same command again: it "
            "resumes from the last checkpoint, which is whole."
        ) from error


@contextlib.contextmanager
def held(folder: Path, refusal: str) -> Iterator[None]:
    """Holds a folder for this process; the operating system lets go of it even in a crash.

    Raises:
        UserError: with the sentence `refusal`, if another process holds it; or if the folder cannot be locked.
    """
    path = folder / LOCK
    with _locked(path, 0, refusal):
        _check_exclusive(path)
        if option := _local_locks(folder):
            print(
                f"Note: {folder} is mounted with {option}, so that its locks do not reach other hosts.",
                flush=True,
            )
        yield


@contextlib.contextmanager
def held_in_turn(path: Path, waiting: str) -> Iterator[None]:
    """Holds a lock file; waits for it while another process does, and prints `waiting` then.

    Raises:
        UserError: if the file cannot be locked.
    """
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(_locked(path, 0, waiting))
        except _HeldElsewhereError:
            print(waiting, flush=True)
            stack.enter_context(_locked(path, -1, waiting))
        yield


class _HeldElsewhereError(UserError):
    """Another process holds a lock."""


@contextlib.contextmanager
def _locked(path: Path, timeout: float, refusal: str) -> Iterator[None]:
    # Without flock, filelock would fall back to a file that a kill leaves behind.
    lock = filelock.FileLock(path, timeout=timeout, fallback_to_soft=False)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise _HeldElsewhereError(refusal) from error
    except OSError as error:
        raise _no_lock(path, error) from error
    try:
        yield
    finally:
        lock.release()


def _check_exclusive(path: Path) -> None:
    """Raises UserError if a lock that this process holds can be taken a second time: some mounts grant every lock."""
    with path.open("r+b") as again:
        try:
            fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _HELD:
                return
            raise _no_lock(path, error) from error
    raise _no_lock(path, OSError(errno.ENOLCK, "every lock is granted"))


def _no_lock(path: Path, error: OSError) -> UserError:
    """The error to raise for a lock that cannot be taken, though no other process holds it."""
    if error.errno in _NO_LOCKS:
        return UserError(
            f"The file system of {path.parent} does not support locks (flock: {error.strerror}), so that two "
            "processes could write the same files. Name a folder on another file system."
        )
    if error.errno in _FAILING:
        return DiskError(f"{path} cannot be written ({error.strerror}). {_remedy(error)}.")
    return UserError(
        f"The lock {path} cannot be opened ({error.strerror}): it may belong to another user, or its folder be "
        "read-only. Name another folder, or ask its owner for the right to write."
    )


def _local_locks(folder: Path) -> str:
    """The mount option by which the locks in a folder do not reach other hosts, or ''."""
    place = folder.resolve()
    mounts = [m for m in psutil.disk_partitions(all=True) if place.is_relative_to(m.mountpoint)]
    innermost = max(mounts, key=lambda m: len(m.mountpoint), default=None)
    options = innermost.opts.split(",") if innermost else []
    return next((option for option in options if option in _LOCAL_LOCKS), "")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _partial(path: Path) -> Path:
    """A temporary name beside `path` that no other process takes, on whatever host or in whatever container."""
    name = os.fsdecode(os.fsencode(path.stem)[:100])  # a file's name has at most 255 bytes
    host = re.sub(r"[^\w-]", "-", socket.gethostname(), flags=re.ASCII)[:40]
    return path.with_name(f".{name}.{host}.{os.getpid()}.{secrets.token_hex(4)}.tmp{path.suffix}")


def _remedy(error: OSError) -> str:
    return "Make room" if error.errno in _FULL else "Mend that"
