"""SIGINT and SIGTERM ask a run to save and stop; a second one stops it at once.

`ORPHANED` asks for the same, as often as it comes: Linux sends it to a run of a sweep whose process has died.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator

NUMBERS = (signal.SIGINT, signal.SIGTERM)
ORPHANED = signal.SIGUSR1


class StopRequest:
    """Whether a signal has asked the run to stop; `number` is the signal's."""

    def __init__(self):
        self.number: int | None = None

    def __bool__(self) -> bool:
        return self.number is not None

    def receive(self, number: int) -> None:
        """Notes the first signal; the second ends the process without cleaning up, which may be what hangs."""
        if number == ORPHANED:
            # One comes for each thread of the parent that ends, all at nearly the same time: not a second request.
            self.number = self.number or signal.SIGTERM
            return
        if self.number is not None:
            # What is written is whole at every moment, so that nothing is lost but the work since.
            os._exit(128 + number)
        self.number = number


class Stopped(Exception):
    """Raised inside an evaluation to leave it when a stop was asked for."""


@contextlib.contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Listens to SIGINT and SIGTERM while the block runs; in another thread than the main one, to nothing.

    A thread reads the signals from a socket that the interpreter writes to at once: Python's own handlers would
    wait until TensorFlow comes back from an execution.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)

    def listen() -> None:
        while number := reader.recv(1):
            if number[0] in (*NUMBERS, ORPHANED):
                request.receive(number[0])

    thread = threading.Thread(target=listen, daemon=True)
    before = {number: signal.signal(number, lambda *_: None) for number in (*NUMBERS, ORPHANED)}
    fd_before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    thread.start()
    try:
        yield request
    finally:
        signal.set_wakeup_fd(fd_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        writer.close()  # ends the thread
        thread.join()
        reader.close()
