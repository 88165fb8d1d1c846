"""Cores and memory that this process may use, under affinity and container limits."""

from __future__ import annotations

import contextlib
import math
import resource
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import psutil

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
FILES = {  # by controller: the name in version 2, with one hierarchy, and in version 1, with one for each controller
    "cpu": ("cpu.max", "cpu.cfs_quota_us"),
    "memory": ("memory.max", "memory.limit_in_bytes"),
}


def cores() -> int:
    """Returns the physical cores that this process may use, at least 1: those of its affinity, within its CPU quota."""
    physical = psutil.cpu_count(logical=False) or psutil.cpu_count() or 1
    return max(1, int(min(physical, threads(), cpu_quota())))


def threads() -> int:
    """Returns the threads that run at once within this process's affinity: TensorFlow's default, without a quota."""
    process = psutil.Process()
    allowed = len(process.cpu_affinity()) if hasattr(process, "cpu_affinity") else psutil.cpu_count()
    return allowed or 1


def memory() -> int:
    """Returns the bytes of memory that this process and its children may use: the machine's or a container's limit."""
    return int(min(psutil.virtual_memory().total, memory_limit()))


def free_memory() -> int:
    """Returns the bytes of memory that this process may still take."""
    return int(min(psutil.virtual_memory().available, memory_limit() - resident_memory()))


def resident_memory() -> int:
    """Returns the bytes of memory that this process holds now."""
    return psutil.Process().memory_info().rss


def peak_memory() -> int:
    """Returns the most bytes of memory that this process has held so far."""
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def cpu_quota(groups: Path = CGROUPS, membership: Path = MEMBERSHIP) -> float:
    """Returns the cores' worth of time that the control groups of this process grant, infinite without a limit.

    Args:
        groups: Folder at which control groups are mounted.
        membership: File that names the groups of this process.
    """

    def read(path: Path) -> float:
        words = path.read_text().split()
        if path.name == "cpu.cfs_quota_us":  # version 1 keeps the period in a file of its own
            words += path.with_name("cpu.cfs_period_us").read_text().split()
        quota, period = words
        return math.inf if quota == "-1" else int(quota) / int(period)

    return _smallest_limit(read, _limit_files("cpu", groups, membership))


def memory_limit(groups: Path = CGROUPS, membership: Path = MEMBERSHIP) -> float:
    """Returns the bytes that the control groups of this process grant, infinite without a limit. See `cpu_quota`."""
    return _smallest_limit(lambda path: int(path.read_text()), _limit_files("memory", groups, membership))


def _smallest_limit(read: Callable[[Path], float], paths: Iterable[Path]) -> float:
    limits = [math.inf]
    for path in paths:
        with contextlib.suppress(OSError, ValueError, ZeroDivisionError):  # 'max' for no limit
            limits.append(read(path))
    return min(limits)


def _limit_files(controller: str, groups: Path, membership: Path) -> Iterator[Path]:
    """Yields the files that may limit this process: those of its group and of every group above it."""
    try:
        lines = [line.split(":", 2) for line in membership.read_text().splitlines()]
    except OSError:  # no Linux
        return
    for number, controllers, group in (line for line in lines if len(line) == 3):
        if number == "0" and not controllers:
            root, name = groups, FILES[controller][0]
        elif controller in controllers.split(","):
            root, name = groups / controllers, FILES[controller][1]
        else:
            continue
        # A container may see its own group as the root, while the membership names a path that only the host has.
        folder = root / group.strip("/")
        for above in (folder, *folder.parents):
            yield above / name
            if above == root:
                break
