"""Threads that compute blocks of matrices side by side, each with a single-threaded BLAS.

On a machine with other work they wait for each other far less than the threads of one BLAS call. The blocks do not
depend on the number of threads, so neither do the last bits of results.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import threadpoolctl

from rethink_keras.system import machine


@contextlib.contextmanager
def workers() -> Iterator[ThreadPoolExecutor]:
    """Yields a pool with one thread a core; while it is open, BLAS uses only the calling thread."""
    with threadpoolctl.threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(machine.cores()) as pool:
        yield pool


def panels(stop: int, size: int, start: int = 0) -> list[slice]:
    """Returns `range(start, stop)` in slices of `size`; the last one may be shorter."""
    return [slice(first, min(first + size, stop)) for first in range(start, stop, size)]
