"""Several workers, each a process of its own, and one run."""

import csv
import json
import os
import shutil
import signal
from pathlib import Path
from unittest import mock

import numpy as np
import tensorflow as tf
from absl.testing import absltest

from rethink_keras.data.batches import BatchShard
from rethink_keras.errors import DiskError, UserError
from rethink_keras.system.signals import StopRequest
from rethink_keras.training.distribution.workers import SINGLE_WORKER, MultipleWorkers, connect_workers
from tests.training import small_runs
from tests.training.small_runs import run
from tests.training.train_processes import newest_arrays, wait_for_line
from tests.training.worker_processes import ended, start

# A short last batch of 2, an odd number of test examples, a penalty and top-5 besides; many small steps, so that there
# is time to stop in the middle.
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
TWO_WORKERS = {
    "cluster": {"worker": ["host1:2222", "host2:2222"]},
    "task": {"type": "worker", "index": 0},
}


def rows(folder):
    with (folder / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


class TwoWorkersTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())

    def assert_same_run(self, one, two):
        self.assertEqual(len(rows(one)), len(rows(two)))
        for row, other in zip(rows(one), rows(two), strict=True):
            self.assertEqual(list(row), list(other))
            for name in row.keys() - {"seconds", "train_metrics", "batch_norm"}:
                self.assertAlmostEqual(float(row[name]), float(other[name]), delta=1e-6, msg=name)
        for array, paired in zip(newest_arrays(one), newest_arrays(two), strict=True):
            np.testing.assert_allclose(array, paired, rtol=1e-6, atol=1e-6)

    def test_equal_one_worker_though_stopped_and_resumed(self):
        one, two, unused, alone = (self.folder / name for name in ("one", "two", "unused", "alone"))
        run(one, *BINDINGS)
        processes = start([two, unused], *SMALL)
        wait_for_line(processes[1], "001:")
        processes[1].send_signal(signal.SIGTERM)  # to one: all stop
        for code, _, err in ended(processes):
            self.assertEqual(code, 128 + signal.SIGTERM, err)
            self.assertRegex(err, r"epoch \d+ after step \d+")
        self.assertFalse(unused.exists())  # only the chief writes
        shutil.copytree(two, alone)
        for code, out, err in ended(start([two, two], *SMALL)):
            self.assertEqual(code, 0, err)
            self.assertRegex(out, r"in epoch \d+ after step \d+")
        run(alone, *BINDINGS)  # one worker may finish what two began
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
        one, two = self.folder / "one", self.folder / "two"
        history = run(one, *bindings).history
        for code, _, err in ended(start([two] * 2, *small_runs.SMALL, *bindings)):
            self.assertEqual(code, 0, err)
        for row, other in zip(history, rows(two), strict=True):
            self.assertEqual(other["batch_norm"], "recomputed")
            for name in ("running_loss", "train_loss", "test_loss"):
                self.assertAlmostEqual(row[name], float(other[name]), delta=1e-3)

    def test_a_lost_worker_ends_the_others(self):
        processes = start([self.folder, self.folder], *SMALL, "train.epochs = 400")
        wait_for_line(processes[0], "001:")
        processes[1].kill()
        (code, _, err), _ = ended(processes)
        self.assertEqual(code, 8, err)
        self.assertIn("worker was lost", err)
        self.assertNotEmpty(list((self.folder / "checkpoints").glob("*.npz")))


class Scripted(MultipleWorkers):
    """Worker 1 of 3. The others' numbers are given; its own are recorded."""

    def __init__(self, *others):
        self.shard, self.gathered, self._others = BatchShard(1, 3), [], list(others)

    def all_gather(self, number):
        self.gathered.append(number)
        first, last = self._others.pop(0)
        return [first, number, last]


class MultipleWorkersTest(absltest.TestCase):
    def test_broadcast_returns_the_chiefs_number(self):
        workers = Scripted((7, 9))
        self.assertEqual(workers.broadcast(3), 7)
        self.assertFalse(workers.is_chief)

    def test_stop_on_all(self):
        own = StopRequest()
        stop = Scripted((0, 0), (0, 15), (0, 0)).stop_on_all(own)
        self.assertFalse(stop)
        self.assertTrue(stop)
        self.assertEqual(stop.number, 15)
        own.receive(2)
        self.assertTrue(stop)
        self.assertEqual(stop.number, 2)

    def test_barrier_fails_here_if_another_worker_failed(self):
        with self.assertRaisesRegex(UserError, "Worker 2 of 3"), Scripted((0, 1)).barrier():
            pass
        with Scripted((0, 0)).barrier():
            pass

    def test_barrier_reports_a_failure_to_the_others(self):
        workers = Scripted((0, 0))
        with self.assertRaisesRegex(DiskError, "full"), workers.barrier():
            raise DiskError("full")
        self.assertEqual(workers.gathered, [1])

    def test_check_same(self):
        workers = Scripted((0, 0))
        with self.assertRaisesRegex(UserError, "Worker 0 .* another configuration"):
            workers.check_same("text")
        Scripted(tuple(workers.gathered * 2)).check_same("text")


class ConnectWorkersTest(absltest.TestCase):
    def environment(self, config):
        return mock.patch.dict(os.environ, {"TF_CONFIG": config})

    def test_a_single_worker(self):
        with self.environment(""):
            self.assertIs(connect_workers("auto"), SINGLE_WORKER)
            with self.assertRaisesRegex(UserError, "train.strategy is 'multi_worker'.*TF_CONFIG"):
                connect_workers("multi_worker")

    def test_other_strategies_do_not_read_the_variable(self):
        with self.environment("not json"):
            self.assertIs(connect_workers("none"), SINGLE_WORKER)

    def test_a_process_that_has_computed_before(self):
        tf.constant(1)
        with (
            self.environment(json.dumps(TWO_WORKERS)),
            self.assertRaisesRegex(UserError, "before TensorFlow does anything else"),
        ):
            connect_workers("auto")


if __name__ == "__main__":
    absltest.main()
