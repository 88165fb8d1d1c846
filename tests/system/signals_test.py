import concurrent.futures
import fcntl
import json
import os
import pty
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

from absl.testing import absltest

from rethink_keras.system import signals
from rethink_keras.system.signals import stop_request
from tests.training.small_runs import WITH_STATE

ROOT = Path(__file__).resolve().parents[2]


def send(number):
    """Sends this process a real signal and waits until it has been noted."""
    os.kill(os.getpid(), number)
    time.sleep(0.1)


class StopRequestTest(absltest.TestCase):
    def test_sigterm(self):
        with stop_request() as stop:
            send(signal.SIGTERM)
            self.assertEqual(stop.number, signal.SIGTERM)

    def test_an_orphan_is_stopped_as_by_sigterm(self):
        with stop_request() as stop:
            send(signals.ORPHANED)
            send(signals.ORPHANED)
            self.assertEqual(stop.number, signal.SIGTERM)

    def test_handlers_come_back(self):
        before = [signal.getsignal(number) for number in signals.NUMBERS]
        with stop_request():
            pass
        self.assertEqual([signal.getsignal(number) for number in signals.NUMBERS], before)

    def test_another_thread_than_the_main_one_gets_no_signals(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            self.assertFalse(pool.submit(lambda: stop_request().__enter__()).result())

    def test_a_second_signal_ends_the_process(self):
        code = (
            "import os, signal, time\n"
            "from rethink_keras.system.signals import stop_request\n"
            "with stop_request() as stop:\n"
            "    os.kill(os.getpid(), signal.SIGTERM)\n"
            "    while not stop: time.sleep(0.01)\n"
            "    os.kill(os.getpid(), signal.SIGINT)\n"
            "    time.sleep(60)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT)
        self.assertEqual(done.returncode, 128 + signal.SIGINT)


class HangupTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        # The suite itself may run under nohup, whose children inherit that SIGHUP is ignored.
        self.addCleanup(signal.signal, signal.SIGHUP, signal.signal(signal.SIGHUP, signal.SIG_DFL))

    def test_a_terminal_that_is_closed_may_send_it_twice(self):
        with stop_request() as stop:
            self.assertFalse(stop)
            send(signal.SIGHUP)
            self.assertEqual(stop.number, signal.SIGHUP)
            send(signal.SIGHUP)  # would end this process if it were a second request
            self.assertEqual(stop.number, signal.SIGHUP)

    def test_under_nohup_it_stays_ignored(self):
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            with stop_request() as stop:
                send(signal.SIGHUP)
                self.assertFalse(stop)
                self.assertEqual(signal.getsignal(signal.SIGHUP), signal.SIG_IGN)
            self.assertEqual(signal.getsignal(signal.SIGHUP), signal.SIG_IGN)
        finally:
            signal.signal(signal.SIGHUP, before)


class ClosedTerminalTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        # The suite itself may run under nohup, whose children inherit that SIGHUP is ignored.
        self.addCleanup(signal.signal, signal.SIGHUP, signal.signal(signal.SIGHUP, signal.SIG_DFL))

    def test_a_run_whose_terminal_is_closed_saves(self):
        ours, theirs = pty.openpty()
        params = [f"--gin_param={binding}" for binding in WITH_STATE]
        folder = Path(self.create_tempdir())
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "bin" / "train"), f"--workdir={folder}", *params],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)
        seen = b""
        while b"002:" not in seen:
            seen += os.read(ours, 1000)
        os.close(ours)
        self.assertEqual(process.wait(timeout=120), 128 + signal.SIGHUP)
        self.assertEqual(json.loads((folder / "summary.json").read_text())["status"], "interrupted")
        self.assertNotEmpty(list((folder / "checkpoints").glob("*.npz")))


if __name__ == "__main__":
    absltest.main()
