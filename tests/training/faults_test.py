"""What stops, crashes and bad disks may do to a run: nothing."""

import resource
import signal
import time
from pathlib import Path
from unittest import mock

from absl.testing import absltest

from rethink_keras.errors import DiskError, StoppedBySignalError, UserError
from rethink_keras.training.callbacks.tensorboard import TensorBoard
from rethink_keras.training.checkpoints import Checkpoints
from tests.training.small_runs import (
    SMALL,
    WITH_STATE,
    before_call,
    run,
    sigterm_after_epoch,
    sigterm_at,
    timeless,
)
from tests.training.train_processes import start, wait_for_line


class SignalTest(absltest.TestCase):
    def test_second_signal_stops_at_once(self):
        # One execution takes many seconds here, in which TensorFlow does not come back to the interpreter.
        heavy = (*SMALL, "mlp.hidden = '4096x4096x4096'", "train.steps_per_execution = 10")
        heavy += ("dataset.train_examples = 1400", "train.batch_size = 140", "train.epochs = 50")
        folder = Path(self.create_tempdir())
        process = start(folder, heavy)
        wait_for_line(process, "Regularization")
        time.sleep(4)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, 128 + signal.SIGTERM)
        self.assertLess(time.monotonic() - begin, 3)  # not a speed: an execution takes longer

    def test_sigint_saves_and_exits_130(self):
        folder = Path(self.create_tempdir())
        process = start(folder, WITH_STATE)
        wait_for_line(process, "001:")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 128 + signal.SIGINT)
        self.assertRegex(err, r"^Stopped in epoch \d+ after step \d+ and saved\. The same command resumes")
        self.assertNotEmpty(list((folder / "checkpoints").glob("*.npz")))


class CheckpointFaultTest(absltest.TestCase):
    def test_truncated_checkpoint(self):
        folder = Path(self.create_tempdir())
        whole = run(folder / "whole")
        with self.assertRaises(StoppedBySignalError), sigterm_at(5):
            run(folder / "cut", "train.steps_per_execution = 1")
        with self.assertRaises(UserError):  # another configuration
            run(folder / "cut")
        again = ("train.steps_per_execution = 1",)
        with self.assertRaises(StoppedBySignalError), sigterm_after_epoch():
            run(folder / "cut", *again)
        with self.assertRaises(StoppedBySignalError), sigterm_at(5):
            run(folder / "cut", *again)
        newest = max((folder / "cut" / "checkpoints").glob("*.npz"))
        newest.write_bytes(newest.read_bytes()[:1000])
        with self.assertLogs(level="WARNING"):
            cut = run(folder / "cut", *again)
        self.assertEqual(timeless(cut.history), timeless(whole.history))

    def test_checkpoint_of_another_model(self):
        folder = Path(self.create_tempdir())
        with self.assertRaises(StoppedBySignalError), sigterm_after_epoch():
            run(folder / "small")
        with self.assertRaises(StoppedBySignalError), sigterm_after_epoch():
            run(folder / "large", "mlp.hidden = '64'")
        for path in (folder / "small" / "checkpoints").iterdir():
            path.unlink()
        for path in (folder / "large" / "checkpoints").iterdir():
            path.rename(folder / "small" / "checkpoints" / path.name)
        with self.assertRaisesRegex(UserError, "is of another network"):
            run(folder / "small")


class DiskTest(absltest.TestCase):
    def test_full_disk_keeps_the_last_good_checkpoint_and_goes_on_later(self):
        """A limit on the size of files stands in for a full disk: the system's own write fails in the same way."""
        before = resource.getrlimit(resource.RLIMIT_FSIZE)

        def fill(_, state):
            if state.epoch == 2:
                resource.setrlimit(resource.RLIMIT_FSIZE, (4000, before[1]))

        real = Checkpoints.save

        def save(self, state):
            fill(self, state)
            return real(self, state)

        folder = Path(self.create_tempdir())
        whole = run(folder / "whole")
        with (
            mock.patch.object(Checkpoints, "save", save),
            self.assertRaisesRegex(DiskError, "cannot be written any more .* Make room"),
        ):
            try:
                run(folder / "full")
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)
        kept = [p.name for p in (folder / "full" / "checkpoints").iterdir()]
        self.assertEqual(kept, ["epoch-00001-step-0000000.npz"])
        self.assertEqual(timeless(run(folder / "full").history), timeless(whole.history))

    def test_disk_that_fills_under_tensorboard(self):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)

        def fill():
            resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))

        folder = Path(self.create_tempdir())
        with self.assertRaises(DiskError):
            try:
                with before_call(TensorBoard, "write", fill):
                    run(folder, "train.tensorboard = True")
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, before)

    def test_two_processes_on_one_workdir(self):
        folder = Path(self.create_tempdir())
        first = start(folder, WITH_STATE)
        wait_for_line(first, "Regularization")
        second = start(folder, WITH_STATE)
        _, err = second.communicate(timeout=120)
        self.assertEqual(second.returncode, 2)
        self.assertRegex(err, "^Another process is training in .* Wait for it, or name another --workdir.")
        self.assertIsNone(first.poll())
        first.kill()
        first.communicate()


if __name__ == "__main__":
    absltest.main()
