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
from rethink_keras.experiments.display import Display
from rethink_keras.experiments.engines.ray_cluster import QUIET, RayCluster
from rethink_keras.experiments.run_process import LOG
from rethink_keras.system import machine
from tests.experiments.run_process_test import job
from tests.experiments.small_sweeps import results, start_sweep, wait_for_rows, write_gin
from tests.experiments.stub_runs import (
    ENDLESS,
    GROWTH,
    VISIBLE,
    CalledDisplay,
    environment_job,
    recorded_environment,
    run_jobs,
    status,
    stub_job,
    wait_for,
)
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

    def test_threads_without_a_connection(self):
        with mock.patch.object(machine, "cores", lambda: 8):
            self.assertEqual(RayCluster(gpus_per_run=0.5).threads(2, connect=False), 0)
            self.assertEqual(RayCluster().threads(2), 4)  # without GPUs no connection is needed

    def test_parts_of_a_gpu_that_share_it(self):
        for part, shares in ((0, False), (0.25, True), (0.75, True), (1, False), (2, False)):
            self.assertEqual(RayCluster(gpus_per_run=part)._place().shares_gpu, shares)

    def test_one_and_a_half_gpus_are_refused(self):
        with self.assertRaisesRegex(UserError, "ray.gpus_per_run"):
            RayCluster(gpus_per_run=1.5)

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
        # Commands that other tests call set the growth of memory for their own process.
        cls.enter_context(mock.patch.dict(os.environ))
        os.environ.pop(GROWTH, None)
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
        with self.assertRaisesRegex(UserError, "0.5 GPUs .* 0 GPUs.*ray.gpus_per_run"):
            run(jobs(Path(self.create_tempdir())), engine)

    def run_on_gpus(self, engine, **node):
        """Runs two jobs on a node of GPUs that Ray believes in; returns their environments, and what was said."""
        node = self.cluster.add_node(**node)
        folder, said = Path(self.create_tempdir()), []
        display = Display()
        display.say = said.append
        recorded = [environment_job(folder / name, threads=2) for name in "ab"]
        try:
            self.assertEqual(
                [outcome.exit_code for outcome in run(recorded, engine, display=display)], [0, 0]
            )
        finally:
            self.cluster.remove_node(node)
        return [recorded_environment(folder / name) for name in "ab"], said

    def test_runs_that_share_a_gpu_let_their_memory_grow(self):
        engine = RayCluster(self.cluster.address, gpus_per_run=0.5)
        found, said = self.run_on_gpus(engine, num_cpus=4, num_gpus=1)
        self.assertEqual(found, [{VISIBLE: "0", GROWTH: "true"}] * 2)
        self.assertEmpty(said)

    def test_a_run_with_a_gpu_of_its_own_takes_its_memory_at_once(self):
        engine = RayCluster(self.cluster.address, gpus_per_run=1)
        found, _ = self.run_on_gpus(engine, num_cpus=4, num_gpus=2)
        self.assertCountEqual(found, [{VISIBLE: "0", GROWTH: None}, {VISIBLE: "1", GROWTH: None}])

    def test_runs_without_gpus_see_none_and_the_user_is_told(self):
        found, said = self.run_on_gpus(RayCluster(self.cluster.address), num_cpus=4, num_gpus=2)
        self.assertEqual(found, [{VISIBLE: "-1", GROWTH: None}] * 2)
        self.assertLen(said, 1)
        self.assertIn("2 GPUs unused", said[0])

    def test_threads_are_those_of_a_machine_by_the_runs_on_its_gpus(self):
        nodes = [self.cluster.add_node(num_cpus=cpus, num_gpus=2) for cpus in (16, 12)]
        try:
            engine = RayCluster(self.cluster.address, gpus_per_run=0.5)
            self.assertEqual(engine.threads(100), 3)  # four runs on the smaller machine
            self.assertEqual(engine.threads(2), 6)
            self.assertEqual(RayCluster(self.cluster.address, gpus_per_run=2).threads(100), 12)
        finally:
            for node in nodes:
                self.cluster.remove_node(node)

    def test_all_that_a_run_needs_must_be_on_one_machine(self):
        node = self.cluster.add_node(num_cpus=0, num_gpus=1)
        try:
            with self.assertRaisesRegex(UserError, "on one machine"):
                run(jobs(Path(self.create_tempdir())), RayCluster(self.cluster.address, gpus_per_run=1))
        finally:
            self.cluster.remove_node(node)

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

    def test_sigterm_ends_the_command_as_without_ray(self):
        folder = Path(self.create_tempdir())
        gin_file = write_gin(folder, "sweep.engine = 'ray'", bindings=("train.epochs = 5000",))
        process = start_sweep(gin_file, folder / "s", f"ray.address = '{self.cluster.address}'")
        wait_for(lambda: list(folder.glob("s/mlp/*/seed_0/metrics.csv")))
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate()
        self.assertEqual(process.returncode, 143)
        self.assertStartsWith(err, "Stopped;")

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
