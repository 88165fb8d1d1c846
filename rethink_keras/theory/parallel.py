"""Threads that work side by side, each with a BLAS of its own.

On a machine with other work, several such threads wait for each other far less than the threads of one BLAS call
do; and how the work is divided does not go by their number, so that results do not either.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import threadpoolctl

from rethink_keras.system import machine


@contextlib.contextmanager
def workers() -> Iterator[ThreadPoolExecutor]:
    """A pool with a thread a core; while it is open, BLAS computes each call in the thread that calls."""
    with threadpoolctl.threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(machine.cores()) as pool:
        yield pool


def panels(count: int, size: int) -> list[slice]:
    """`range(count)` in slices of `size`; the last may be shorter."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
