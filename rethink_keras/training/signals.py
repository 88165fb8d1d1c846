"""SIGINT, SIGTERM and SIGHUP ask a run to save and stop; a second SIGINT or SIGTERM stops it at once."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from collections.abc import Iterator

from rethink_keras.terminal import survive_its_end

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """Whether a signal has asked the run to stop; `number` is the signal's."""

    def __init__(self):
        self.number: int | None = None

    def __bool__(self) -> bool:
        return self.number is not None

    def receive(self, number: int) -> None:
        """Notes the first signal; the second ends the process without cleaning up, which may be what hangs.

        SIGHUP never does: a terminal that is closed sends it twice, itself and through its shell.
        """
        if self.number is None:
            self.number = number
        elif number != signal.SIGHUP:
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
    numbers = [n for n in NUMBERS if n != signal.SIGHUP or signal.getsignal(n) != signal.SIG_IGN]

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
