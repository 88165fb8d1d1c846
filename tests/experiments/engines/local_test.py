import os
import threading
from pathlib import Path
from unittest import mock

import tensorflow as tf
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.experiments import placement
from rethink_keras.experiments.engines.local import RUN_BYTES, Local
from rethink_keras.system import machine
from tests.experiments.stub_runs import (
    GROWTH,
    VISIBLE,
    environment_job,
    recorded_environment,
    run_jobs,
    status,
    stub_job,
)


class LocalTest(parameterized.TestCase):
    def test_no_more_places_than_runs(self):
        self.assertLen(Local(jobs=1000).places(1, 3, print), 3)
        self.assertLen(Local().places(0, 3, print), 1)  # each takes all cores

    @parameterized.parameters((8, 100, 4), (8, 3, 3), (1, 100, 1), (8, 0, 1))
    def test_as_many_as_cores_and_memory_permit(self, cores, runs_in_memory, places):
        with (
            mock.patch.object(machine, "cores", lambda: cores),
            mock.patch.object(machine, "memory", lambda: runs_in_memory * RUN_BYTES),
        ):
            self.assertLen(Local().places(2, 10, print), places)

    def test_as_many_as_gpus_have_room_for(self):
        with mock.patch.object(placement, "gpus", lambda: ["0", "1"]):
            places = Local(runs_per_gpu=2).places(8, 10, print)
        self.assertEqual(
            [place.environment["CUDA_VISIBLE_DEVICES"] for place in places], ["0", "1", "0", "1"]
        )

    @parameterized.parameters(
        ({}, [], 100, 1),  # on processors, all runs share the cores
        ({}, [], 4, 4),
        ({"jobs": 2}, [], 100, 8),
        ({"jobs": 8}, [], 2, 8),
        ({}, ["0"], 100, 16),
        ({"runs_per_gpu": 2}, ["0", "1"], 100, 4),
        ({"jobs": 3}, ["0", "1"], 100, 5),
    )
    def test_cores_are_divided_by_the_runs_at_a_time(self, options, gpus, runs, threads):
        with (
            mock.patch.object(machine, "cores", lambda: 16),
            mock.patch.object(placement, "gpus", lambda: gpus),
        ):
            self.assertEqual(Local(**options).threads(runs), threads)

    def test_runs_have_the_gpus_that_this_process_may_use(self):
        folder = Path(self.create_tempdir())
        devices = [tf.config.PhysicalDevice(f"/physical_device:GPU:{k}", "GPU") for k in range(2)]
        with (
            mock.patch.object(tf.config, "list_physical_devices", lambda kind: devices),
            mock.patch.dict(os.environ, {VISIBLE: "2,3"}),
        ):
            run_jobs([environment_job(folder / name) for name in "ab"], Local())
        found = [recorded_environment(folder / name) for name in "ab"]
        self.assertCountEqual(found, [{VISIBLE: gpu, GROWTH: "true"} for gpu in "23"])

    def test_runs_a_job_here(self):
        job = stub_job(Path(self.create_tempdir()) / "a")
        self.assertEqual(Local().run(job, threading.Event(), print).exit_code, 0)
        self.assertEqual(status(job.workdir), "done")

    @parameterized.parameters(0, 2**31 - 1, -1, True, "many")
    def test_how_many_at_once_has_a_range(self, jobs):
        with self.assertRaisesRegex(UserError, "local.jobs"):
            Local(jobs=jobs)


if __name__ == "__main__":
    absltest.main()
