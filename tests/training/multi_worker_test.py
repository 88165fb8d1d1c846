"""Two workers, each a process of its own, and one run."""

import csv
import shutil
import signal

import numpy as np
from absl.testing import absltest

from benchmarks.kill_and_resume import newest_arrays, wait_for_line
from rethink_keras.errors import StoppedBySignalError
from tests.training import small_runs
from tests.training.small_runs import new_folder, run
from tests.training.worker_processes import ended, start

# A short last batch of 12, an odd number of test examples, a penalty and top-5 beside the usual.
BINDINGS = (
    "dataset.test_examples = 99",
    "regularization.weight_decay = 1e-3",
    "evaluation.top5 = True",
    "train.steps_per_execution = 1",
)
SMALL = (*small_runs.SMALL, *BINDINGS)
# Long enough to be stopped in the middle, by a signal or for good.
LONG = (*SMALL, "train.epochs = 400", "checkpoints.every_minutes = 0.002")


def rows(folder):
    with (folder / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


class TwoWorkersTest(absltest.TestCase):
    def assert_same_run(self, one, two):
        self.assertEqual(len(rows(one)), len(rows(two)))
        for row, other in zip(rows(one), rows(two), strict=True):
            self.assertEqual(list(row), list(other))
            for name in row.keys() - {"seconds", "train_metrics"}:
                self.assertAlmostEqual(float(row[name]), float(other[name]), delta=1e-6, msg=name)
        for array, paired in zip(newest_arrays(one), newest_arrays(two), strict=True):
            np.testing.assert_allclose(array, paired, rtol=1e-6, atol=1e-6)

    def test_equal_one(self):
        with new_folder() as folder:
            one = run(folder / "one", *BINDINGS)
            outputs = ended(start([folder / "two", folder / "nothing"], *SMALL))
            for code, _, err in outputs:
                self.assertEqual(code, 0, err)
            self.assertFalse((folder / "nothing").exists())  # the chief alone writes
            self.assert_same_run(folder / "one", folder / "two")
            self.assertEqual(len(one.history), 3)
            files = {p.name for p in (folder / "two").iterdir()}
            self.assertEqual(files, {p.name for p in (folder / "one").iterdir()})

    def test_a_signal_to_one_stops_all_and_they_go_on(self):
        with new_folder() as folder:
            two, alone = folder / "two", folder / "alone"
            workers = start([two, two], *LONG)
            wait_for_line(workers[1], "002:")
            workers[1].send_signal(signal.SIGTERM)
            for code, _, err in ended(workers):
                self.assertEqual(code, 128 + signal.SIGTERM, err)
                self.assertRegex(err, r"Stopped in epoch \d+ after step \d+ and saved")
            done = len(rows(two))
            self.assertBetween(done, 2, 399)
            shutil.copytree(two, alone)
            workers = start([two, two], *LONG)
            wait_for_line(workers[0], f"{done + 2:03d}:")
            workers[0].send_signal(signal.SIGTERM)
            for code, out, err in ended(workers):
                self.assertEqual(code, 128 + signal.SIGTERM, err)
                self.assertIn("Going on in epoch", out)
            self.assertGreater(len(rows(two)), done)
            one = run(folder / "one", *BINDINGS, f"train.epochs = {len(rows(two))}")
            for row, other in zip(rows(two), one.history, strict=True):
                self.assertAlmostEqual(float(row["train_loss"]), other["train_loss"], delta=1e-5)
            # What stopped under two workers goes on under one.
            with small_runs.sigterm_after_epoch(), self.assertRaises(StoppedBySignalError):
                run(alone, *LONG[len(small_runs.SMALL) :])
            self.assertLen(rows(alone), done + 1)
            self.assertAlmostEqual(
                float(rows(alone)[-1]["train_loss"]), float(rows(two)[done]["train_loss"]), delta=1e-5
            )

    def test_a_lost_worker_is_told_and_hangs_nobody(self):
        with new_folder() as folder:
            workers = start([folder, folder], *LONG)
            wait_for_line(workers[0], "002:")
            workers[1].kill()
            (code, _, err), _ = ended(workers)
            self.assertEqual(code, 7, err)
            self.assertIn("Another worker was lost", err)
            self.assertNotEmpty(list((folder / "checkpoints").glob("*.npz")))

    def test_workers_started_differently(self):
        with new_folder() as folder:
            other = ("train.learning_rate = 0.1",)
            outputs = ended(start([folder, folder], *SMALL, own=[(), other]))
        for code, _, err in outputs:
            self.assertEqual(code, 2)
            self.assertRegex(err, "Worker . was started with another configuration")

    def test_what_stops_the_chief_stops_all(self):
        with new_folder() as folder:
            (folder / "file").touch()
            (code, _, err), (other_code, _, told) = ended(start([folder / "file", folder / "file"], *SMALL))
        self.assertEqual((code, other_code), (2, 2))
        self.assertIn("cannot be written", err)
        self.assertIn("Worker 0 of 2 cannot go on, and says why on its own terminal", told)


if __name__ == "__main__":
    absltest.main()
