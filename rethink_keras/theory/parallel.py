"""Threads that work side by side, each with a BLAS of its own.

On a machine with other work, several such threads wait for each other far less than the threads of one BLAS call
do; and how the work is divided does not go by their number, so that results do not either.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import threadpoolctl


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def workers() -> Iterator[ThreadPoolExecutor]:
    """A pool with a thread a core; while it is open, BLAS computes each call in the thread that calls."""
    with threadpoolctl.threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(cores()) as pool:
        yield pool


def panels(count: int, size: int) -> list[slice]:
    """`range(count)` in slices of `size`; the last may be shorter."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
