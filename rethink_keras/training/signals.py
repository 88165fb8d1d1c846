"""SIGINT and SIGTERM ask a run to save and stop; a second one stops it at once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator


class StopRequest:
    """Whether a signal has asked the run to stop; `number` is the signal's."""

    def __init__(self):
        self.number: int | None = None

    def __bool__(self) -> bool:
        return self.number is not None

    def _receive(self, number: int, frame) -> None:
        del frame
        if self.number is not None:
            # At once: no cleaning up, which may be what hangs. What is written is whole at every moment.
            os._exit(128 + number)
        self.number = number


class Stopped(Exception):
    """Raised inside an evaluation to leave it when a stop was asked for."""


@contextlib.contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Listens to SIGINT and SIGTERM while the block runs; in another thread than the main one, to nothing."""
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.signal(number, request._receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
