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

from benchmarks.kill_and_resume import ROOT
from rethink_keras.errors import StoppedBySignalError
from rethink_keras.system.signals import stop_request
from rethink_keras.training.callbacks import Recorder
from tests.training.small_runs import WITH_STATE, before_call, new_folder, run, timeless


def send(number):
    """Sends this process a real signal and waits until it has been noted."""
    os.kill(os.getpid(), number)
    time.sleep(0.1)


class HangupTest(absltest.TestCase):
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

    def test_a_run_saves_and_resumes(self):
        bindings = ("train.steps_per_execution = 1",)

        def has_come(recorder, batch, *_):
            return recorder.step_after(batch) >= 5

        hang_up = before_call(Recorder, "on_train_batch_end", lambda: send(signal.SIGHUP), has_come)
        with new_folder() as folder:
            whole = run(folder / "whole", *bindings)
            with hang_up, self.assertRaises(StoppedBySignalError) as caught:
                run(folder / "cut", *bindings)
            self.assertEqual(caught.exception.exit_code, 129)
            self.assertEqual(timeless(run(folder / "cut", *bindings).history), timeless(whole.history))


class ClosedTerminalTest(absltest.TestCase):
    def test_a_run_whose_terminal_is_closed_saves(self):
        ours, theirs = pty.openpty()
        params = [f"--gin_param={binding}" for binding in WITH_STATE]
        with new_folder() as folder:
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
            self.assertNotEmpty(list(Path(folder, "checkpoints").glob("*.npz")))


if __name__ == "__main__":
    absltest.main()
