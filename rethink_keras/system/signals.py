"""SIGINT, SIGTERM and SIGHUP ask a run to save and stop; a second SIGINT or SIGTERM stops it at once.

`ORPHANED` asks for the same, as often as it comes: Linux sends it to a run of a sweep whose process has died.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator

from rethink_keras.system.terminal import survive_its_end

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ORPHANED = signal.SIGUSR1
REPEATED = (signal.SIGHUP, ORPHANED)  # that come more than once for one reason


class StopRequest:
    """Whether a signal has asked the run to stop; `number` is the signal's."""

    def __init__(self):
        self.number: int | None = None

    def __bool__(self) -> bool:
        return self.number is not None

    def receive(self, number: int) -> None:
        """Notes the first signal; the second ends the process without cleaning up, which may be what hangs.

        Those in `REPEATED` never do. A terminal that is closed sends SIGHUP twice, itself and through its shell;
        ORPHANED comes once for each thread of the parent that ends.
        """
        if self.number is None:
            self.number = signal.SIGTERM if number == ORPHANED else number
        elif number not in REPEATED:
            # What is written is whole at every moment, so that nothing is lost but the work since.
            os._exit(128 + number)


class Stopped(Exception):
    """Raised inside an evaluation to leave it when a stop was asked for."""


@contextlib.contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Listens to SIGINT, SIGTERM and SIGHUP while the block runs; in another thread than the main one, to nothing.

    A thread reads the signals from a socket that the interpreter writes to at once: Python's own handlers would
    wait until TensorFlow comes back from an execution. SIGHUP stays ignored where it is, as under nohup. What is
    printed to a terminal that was closed is lost and fails nothing, so that there is time to save.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    ignored = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    numbers = [n for n in (*NUMBERS, ORPHANED) if n != signal.SIGHUP or not ignored]

    def listen() -> None:
        while number := reader.recv(1):
            if number[0] in numbers:
                request.receive(number[0])

    thread = threading.Thread(target=listen, daemon=True)
    before = {number: signal.signal(number, lambda *_: None) for number in numbers}
    fd_before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    thread.start()
    try:
        with survive_its_end():
            yield request
    finally:
        signal.set_wakeup_fd(fd_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        writer.close()  # ends the thread
        thread.join()
        reader.close()
