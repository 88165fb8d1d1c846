"""On a real Ray cluster of two nodes on the loopback."""

import importlib.util
import os
import signal
import subprocess
import threading
import unittest
from pathlib import Path
from unittest import mock

from absl.testing import absltest

from rethink_keras.errors import UserError
from rethink_keras.experiments.engines.ray_cluster import QUIET, RayCluster
from rethink_keras.experiments.run_process import LOG
from tests.experiments.run_process_test import job
from tests.experiments.small_sweeps import results, wait_for_rows
from tests.experiments.stub_runs import ENDLESS, CalledDisplay, run_jobs, status, stub_job, wait_for
from tests.training import small_runs

HAS_RAY = importlib.util.find_spec("ray") is not None
LONG = ("train.epochs = 80",)


def jobs(folder, *more):
    return [job(folder / f"run_{k}", *LONG, f"train.seed = {k}", *more) for k in range(3)]


def run(jobs, engine, **options):
    outcomes = []
    run_jobs(jobs, engine, outcomes.append, **options)
    return outcomes


def statuses(folder):
    return [status(folder / f"run_{k}") for k in range(3)]


class WithoutClusterTest(absltest.TestCase):
    def test_a_missing_ray_is_told(self):
        with (
            mock.patch.dict("sys.modules", ray=None),
            self.assertRaisesRegex(UserError, "requirements-ray.txt"),
            RayCluster().connected(),
        ):
            pass

    @unittest.skipUnless(HAS_RAY, "Ray is not installed")
    def test_no_cluster_is_told(self):
        with (
            self.assertRaisesRegex(UserError, "'127.0.0.1:1'.*ray.address"),
            RayCluster(address="127.0.0.1:1").connected(),
        ):
            pass


@unittest.skipUnless(HAS_RAY, "Ray is not installed")
class RayClusterTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        os.environ.update(QUIET)
        from ray.cluster_utils import Cluster

        # The head takes one run at a time, the other node, which is killed, two. Both ignore SIGINT, as what a
        # script starts in the background does.
        cls.addClassCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.SIG_IGN))
        cls.cluster = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
        )
        cls.addClassCleanup(cls.cluster.shutdown)

    def test_a_killed_node_loses_nothing(self):
        node = self.cluster.add_node(num_cpus=2)
        folder = Path(self.create_tempdir())
        for k in range(3):
            small_runs.run(folder / "here" / f"run_{k}", *LONG, f"train.seed = {k}")

        def kill_node():
            for k in range(3):
                wait_for_rows(folder / "ray" / f"run_{k}", 2)
            self.cluster.remove_node(node, allow_graceful=False)

        killer = threading.Thread(target=kill_node)
        killer.start()
        outcomes = run(jobs(folder / "ray"), RayCluster(self.cluster.address))
        killer.join()
        self.assertEqual([outcome.exit_code for outcome in outcomes], [0, 0, 0])
        self.assertEqual(results(folder / "ray"), results(folder / "here"))
        logs = [(folder / "ray" / f"run_{k}" / LOG).read_text() for k in range(3)]
        self.assertEqual(sum("Resuming in epoch" in log for log in logs), 2)

    def test_more_than_the_cluster_has_is_told(self):
        engine = RayCluster(self.cluster.address, gpus_per_run=0.5)
        with self.assertRaisesRegex(UserError, "0.5 GPUs .* has 0.*ray.gpus_per_run"):
            run(jobs(Path(self.create_tempdir())), engine)

    # The cluster has one CPU here, and places run side by side: any of the three jobs may be the one that starts.

    def test_a_failure_stops_and_saves(self):
        def fail():
            if "running" in statuses(folder):
                raise BrokenPipeError

        folder = Path(self.create_tempdir())
        stubs = [stub_job(folder / f"run_{k}", *ENDLESS, threads=1) for k in range(3)]
        with self.assertRaises(BrokenPipeError):
            run(stubs, RayCluster(self.cluster.address), display=CalledDisplay(fail))
        wait_for(lambda: sorted(statuses(folder)) == ["", "", "interrupted"])

    def test_stopping_saves(self):
        folder, stopping = Path(self.create_tempdir()), threading.Event()

        def stop():
            if any(len(path.read_text().splitlines()) > 2 for path in folder.glob("run_*/metrics.csv")):
                stopping.set()

        started = jobs(folder, "train.epochs = 5000")
        engine = RayCluster(self.cluster.address)
        self.assertEmpty(run(started, engine, display=CalledDisplay(stop), stopping=stopping))
        wait_for(lambda: sorted(statuses(folder)) == ["", "", "interrupted"])
        wait_for(lambda: subprocess.run(["pgrep", "-f", str(folder)], capture_output=True).returncode)


if __name__ == "__main__":
    absltest.main()
