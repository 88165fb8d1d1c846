"""Two workers, each a process of its own, and one run."""

import csv
import shutil
import signal

import numpy as np
from absl.testing import absltest

from benchmarks.kill_and_resume import newest_arrays, wait_for_line
from rethink_keras.data.batches import BatchShard
from rethink_keras.errors import DiskError, UserError
from rethink_keras.system.signals import StopRequest
from rethink_keras.training.distribution import workers
from tests.training import small_runs
from tests.training.small_runs import new_folder, run
from tests.training.worker_processes import ended, start

# A short last batch of 2, an odd number of test examples, a penalty and top-5 beside the usual; many small steps,
# so that there is time to stop in their midst.
BINDINGS = (
    "dataset.train_examples = 298",
    "dataset.test_examples = 99",
    "train.batch_size = 4",
    "train.learning_rate = 0.01",
    "regularization.weight_decay = 1e-3",
    "evaluation.top5 = True",
    "train.steps_per_execution = 1",
    "train.epochs = 4",
)
SMALL = (*small_runs.SMALL, *BINDINGS)


def rows(folder):
    with (folder / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


class TwoWorkersTest(absltest.TestCase):
    def assert_same_run(self, one, two):
        self.assertEqual(len(rows(one)), len(rows(two)))
        for row, other in zip(rows(one), rows(two), strict=True):
            self.assertEqual(list(row), list(other))
            for name in row.keys() - {"seconds", "train_metrics", "batch_norm"}:
                self.assertAlmostEqual(float(row[name]), float(other[name]), delta=1e-6, msg=name)
        for array, paired in zip(newest_arrays(one), newest_arrays(two), strict=True):
            np.testing.assert_allclose(array, paired, rtol=1e-6, atol=1e-6)

    def test_equal_one_though_stopped_and_gone_on(self):
        with new_folder() as folder:
            one, two, nothing, alone = (folder / name for name in ("one", "two", "nothing", "alone"))
            run(one, *BINDINGS)
            workers = start([two, nothing], *SMALL)
            wait_for_line(workers[1], "001:")
            workers[1].send_signal(signal.SIGTERM)  # to one: all stop
            for code, _, err in ended(workers):
                self.assertEqual(code, 128 + signal.SIGTERM, err)
                self.assertRegex(err, r"Stopped in epoch \d+ after step \d+ and saved")
            self.assertFalse(nothing.exists())  # the chief alone writes
            shutil.copytree(two, alone)
            for code, out, err in ended(start([two, two], *SMALL)):
                self.assertEqual(code, 0, err)
                self.assertIn("Going on in epoch", out)
            run(alone, *BINDINGS)  # what two began, one may end
            for other in (two, alone):
                self.assertLen(rows(other), 4)
                self.assert_same_run(one, other)
                self.assertEqual({p.name for p in one.iterdir()}, {p.name for p in other.iterdir()})

    def test_batch_norm_is_that_of_the_whole_batch_in_training_and_recomputed(self):
        bindings = (
            *("train.model = @wide_resnet", "wide_resnet.depth = 10", "train.epochs = 1"),
            *("dataset.train_examples = 200", "dataset.test_examples = 99", "train.batch_size = 40"),
            *("evaluation.batch_norm = 'recomputed'", "evaluation.batch_norm_batches = 4"),
        )
        with new_folder() as folder:
            one = run(folder / "one", *bindings).history
            for code, _, err in ended(start([folder / "two"] * 2, *small_runs.SMALL, *bindings)):
                self.assertEqual(code, 0, err)
            for row, other in zip(one, rows(folder / "two"), strict=True):
                self.assertEqual(other["batch_norm"], "recomputed")
                for name in ("running_loss", "train_loss", "test_loss"):
                    self.assertAlmostEqual(row[name], float(other[name]), delta=1e-3)

    def test_a_lost_worker_is_told_and_hangs_nobody(self):
        with new_folder() as folder:
            workers = start([folder, folder], *SMALL, "train.epochs = 400")
            wait_for_line(workers[0], "001:")
            workers[1].kill()
            (code, _, err), _ = ended(workers)
            self.assertEqual(code, 8, err)
            self.assertIn("Another worker was lost", err)
            self.assertNotEmpty(list((folder / "checkpoints").glob("*.npz")))


class Scripted(workers.MultipleWorkers):
    """Worker 1 of 3 as the others' answers make it; notes its own."""

    def __init__(self, *answers):
        self.shard, self.said, self._answers = BatchShard(1, 3), [], list(answers)

    def all_gather(self, number):
        self.said.append(number)
        first, last = self._answers.pop(0)
        return [first, number, last]


class AgreementTest(absltest.TestCase):
    def test_the_chiefs_word_counts(self):
        scripted = Scripted((7, 9))
        self.assertEqual(scripted.broadcast(3), 7)
        self.assertFalse(scripted.is_chief)

    def test_a_stop_is_noticed_by_all(self):
        own = StopRequest()
        stop = Scripted((0, 0), (0, 15), (0, 0)).stop_on_all(own)
        self.assertFalse(stop)
        self.assertTrue(stop)
        self.assertEqual(stop.number, 15)
        own.receive(2)
        self.assertTrue(stop)
        self.assertEqual(stop.number, 2)

    def test_what_fails_on_another_fails_here(self):
        with self.assertRaisesRegex(UserError, "Worker 2 of 3 cannot go on"), Scripted((0, 1)).barrier():
            pass
        with Scripted((0, 0)).barrier():
            pass

    def test_what_fails_here_is_told_to_the_others(self):
        scripted = Scripted((0, 0))
        with self.assertRaisesRegex(DiskError, "full"), scripted.barrier():
            raise DiskError("full")
        self.assertEqual(scripted.said, [1])

    def test_workers_started_differently(self):
        ask = Scripted((0, 0))
        with self.assertRaisesRegex(UserError, "Worker 0 was started with another configuration"):
            ask.check_same("text")
        Scripted(tuple(ask.said * 2)).check_same("text")


if __name__ == "__main__":
    absltest.main()
