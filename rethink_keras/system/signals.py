"""SIGINT, SIGTERM and SIGHUP request a run to save and stop. A second SIGINT or SIGTERM ends it at once.

`ORPHANED` is one more request to save and stop: Linux sends it to a run of a sweep whose process has died.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator

from rethink_keras.system.streams import terminal_may_close

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
ORPHANED = signal.SIGUSR1
REPEATED = (signal.SIGHUP, ORPHANED)  # these can come more than once for one reason


class StopRequest:
    """Whether a signal has requested the run to stop.

    Attributes:
        number: The signal's number, or None as long as there was none.
    """

    def __init__(self):
        self.number: int | None = None

    def __bool__(self) -> bool:
        return self.number is not None

    def receive(self, number: int) -> None:
        """Records the first signal. The second ends the process without cleaning up, since cleaning up may hang.

        The signals in `REPEATED` never end it. A terminal that is closed sends SIGHUP twice, itself and through its
        shell. ORPHANED comes once for each thread of the parent that ends.
        """
        if self.number is None:
            self.number = signal.SIGTERM if number == ORPHANED else number
        elif number not in REPEATED:
            # Files on disk are whole at every moment: only the work since the last checkpoint is lost.
            os._exit(128 + number)


class Stopped(Exception):
    """Raised inside an evaluation to leave it when a stop was requested."""


@contextlib.contextmanager
def stop_request() -> Iterator[StopRequest]:
    """Yields a StopRequest that records SIGINT, SIGTERM and SIGHUP; in other threads than the main one, none.

    Python runs a signal's handler only between bytecodes, so that it would wait until TensorFlow returns from an
    execution. The interpreter's C code also writes the number to a socket, at once, and a thread reads it there.

    SIGHUP stays ignored where it is, as under nohup. Output to a terminal that was closed is lost and fails nothing, so
    that there is time to save.
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
        with terminal_may_close():
            yield request
    finally:
        signal.set_wakeup_fd(fd_before)
        for number, handler in before.items():
            signal.signal(number, handler)
        writer.close()  # ends the thread
        thread.join()
        reader.close()
