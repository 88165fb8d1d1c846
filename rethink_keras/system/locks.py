"""Locks: a folder or a file that one process holds at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
from collections.abc import Iterator
from pathlib import Path

import filelock
import psutil

from rethink_keras.errors import DiskError, UserError
from rethink_keras.system.disk_errors import FAILING, remedy

LOCK = ".lock"
_NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)
_HELD = (errno.EAGAIN, errno.EACCES)
# Options of NFS and Lustre mounts that do not pass flock to the server.
_LOCAL_LOCKS = {"nolock", "local_lock=all", "local_lock=flock", "localflock"}


@contextlib.contextmanager
def held(folder: Path, refusal: str) -> Iterator[None]:
    """Holds a folder for this process. The operating system releases it when the process ends, even by a crash.

    Args:
        folder: The folder.
        refusal: The message when another process holds it.

    Raises:
        UserError: Another process holds the folder, or it cannot be locked.
    """
    path = folder / LOCK
    try:
        lock = _acquired(path, timeout=0)
    except filelock.Timeout as error:
        raise UserError(refusal) from error
    with lock:
        _check_exclusive(path)
        if option := _local_locks(folder):
            print(
                f"Note: {folder} is mounted with {option}, so that its locks do not reach other hosts.",
                flush=True,
            )
        yield


@contextlib.contextmanager
def held_in_turn(path: Path, waiting: str) -> Iterator[None]:
    """Holds a lock file, and waits until it is free.

    Args:
        path: The lock file.
        waiting: The line to print while another process holds it.

    Raises:
        UserError: The file cannot be locked.
    """
    try:
        lock = _acquired(path, timeout=0)
    except filelock.Timeout:
        print(waiting, flush=True)
        lock = _acquired(path, timeout=-1)
    with lock:
        yield


def _acquired(path: Path, timeout: float) -> filelock.AcquireReturnProxy:
    """Returns a context that releases the lock; raises `filelock.Timeout` while another process holds it."""
    try:
        # Without flock, filelock would create a file instead, which a killed process leaves behind.
        return filelock.FileLock(path, fallback_to_soft=False).acquire(timeout=timeout)
    except filelock.Timeout:
        raise
    except OSError as error:
        raise _no_lock(path, error) from error


def _check_exclusive(path: Path) -> None:
    """Raises UserError if a lock that this process holds can be taken again: some mounts grant every lock."""
    with path.open("r+b") as again:
        try:
            fcntl.flock(again, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _HELD:
                return
            raise _no_lock(path, error) from error
    raise _no_lock(path, OSError(errno.ENOLCK, "every lock is granted"))


def _no_lock(path: Path, error: OSError) -> UserError:
    """Returns the error to raise for a lock that cannot be taken, though no other process holds it."""
    if error.errno in _NO_LOCKS:
        return UserError(
            f"The file system of {path.parent} does not support locks (flock: {error.strerror}), so that two "
            "processes could write the same files. Name a folder on another file system."
        )
    if error.errno in FAILING:
        return DiskError(f"{path} cannot be written ({error.strerror}). {remedy(error)}.")
    return UserError(
        f"The lock {path} cannot be opened ({error.strerror}): it may belong to another user, or its folder be "
        "read-only. Name another folder, or ask its owner for the right to write."
    )


def _local_locks(folder: Path) -> str:
    """Returns the mount option that keeps a folder's locks from other hosts, or ''."""
    path = folder.resolve()
    mounts = [m for m in psutil.disk_partitions(all=True) if path.is_relative_to(m.mountpoint)]
    innermost = max(mounts, key=lambda m: len(m.mountpoint), default=None)
    options = innermost.opts.split(",") if innermost else []
    return next((option for option in options if option in _LOCAL_LOCKS), "")
