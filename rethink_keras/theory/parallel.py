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


def panels(count: int, size: int) -> list[slice]:
    """Returns `range(count)` in slices of `size`; the last one may be shorter."""
    return [slice(start, min(start + size, count)) for start in range(0, count, size)]
