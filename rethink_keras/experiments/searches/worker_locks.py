"""Which workers of a search are alive: each holds a lock file in the search's folder, on whatever machine it is."""

from __future__ import annotations

import re
from pathlib import Path

import filelock

WORKERS = "workers"  # the folder of the lock files
NAMES = r"[A-Za-z0-9_.-]{1,64}"  # of a worker: a file is named after it


def worker_lock(folder: Path, tuner_id: str) -> filelock.FileLock:
    """Returns the lock that a worker holds while it lives; the operating system releases it even after a crash."""
    return filelock.FileLock(folder / WORKERS / f"{tuner_id}.lock", timeout=0)


def is_name(tuner_id: str) -> bool:
    """Returns whether a worker can have this id."""
    return bool(re.fullmatch(NAMES, tuner_id)) and tuner_id not in (".", "..")


def is_alive(folder: Path, tuner_id: str) -> bool:
    """Returns whether a worker with this id works at the search in a folder."""
    if not is_name(tuner_id):
        return False
    try:
        with worker_lock(folder, tuner_id):
            return False
    except filelock.Timeout:
        return True


def workers_alive(folder: Path) -> list[str]:
    """Returns the ids of the workers that work at the search in a folder."""
    return [path.stem for path in sorted((folder / WORKERS).glob("*.lock")) if is_alive(folder, path.stem)]
