import os
import sys
from pathlib import Path

import psutil
from absl.testing import absltest, parameterized

from rethink_keras.experiments.engines.local import Local
from rethink_keras.system import machine
from rethink_keras.theory import parallel

INFINITE = float("inf")


def write_tree(folder: Path, membership: str, files: dict[str, str]) -> tuple[Path, Path]:
    """Control groups in a folder: the mount, and the file that says which are this process's."""
    for name, text in {"membership": membership, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "groups", folder / "membership"


class LimitsTest(parameterized.TestCase):
    @parameterized.parameters(
        ("0::/a/b", {"groups/a/b/cpu.max": "150000 100000\n"}, 1.5),
        ("0::/a/b", {"groups/a/b/cpu.max": "max 100000\n"}, INFINITE),
        ("0::/a/b", {"groups/a/b/cpu.max": "max 100000", "groups/a/cpu.max": "200000 100000"}, 2),
        ("0::/", {"groups/cpu.max": "50000 100000"}, 0.5),
        ("0::/of/the/host", {"groups/cpu.max": "300000 100000"}, 3),
        (
            "4:cpu,cpuacct:/docker/x",
            {
                "groups/cpu,cpuacct/docker/x/cpu.cfs_quota_us": "400000",
                "groups/cpu,cpuacct/docker/x/cpu.cfs_period_us": "100000",
            },
            4,
        ),
        (
            "4:cpu:/",
            {"groups/cpu/cpu.cfs_quota_us": "-1", "groups/cpu/cpu.cfs_period_us": "100000"},
            INFINITE,
        ),
        ("4:cpu:/", {"groups/cpu/cpu.cfs_quota_us": "1000"}, INFINITE),
        ("nonsense", {"groups/cpu.max": "nonsense"}, INFINITE),
        ("0::/", {"groups/cpu.max": "5 0"}, INFINITE),
    )
    def test_cpu_quota(self, membership, files, expected):
        folder = Path(self.create_tempdir())
        self.assertEqual(machine.cpu_quota(*write_tree(folder, membership, files)), expected)

    @parameterized.parameters(
        ("0::/a", {"groups/a/memory.max": "max", "groups/memory.max": "1000"}, 1000),
        ("9:memory:/a", {"groups/memory/a/memory.limit_in_bytes": "2000"}, 2000),
        ("9:memory:/a", {}, INFINITE),
    )
    def test_memory_limit(self, membership, files, expected):
        folder = Path(self.create_tempdir())
        self.assertEqual(machine.memory_limit(*write_tree(folder, membership, files)), expected)

    def test_memory_of_this_process(self):
        # Linux counts both a little late, so that the peak can be below the present by some pages.
        self.assertBetween(machine.resident_memory(), 10 * 2**20, machine.peak_memory() + 2**24)
        self.assertLess(machine.peak_memory(), 100 * 2**30)
        self.assertLess(machine.free_memory(), machine.memory())

    def test_a_machine_without_control_groups(self):
        nowhere = Path("/nowhere")
        self.assertEqual(machine.cpu_quota(nowhere, nowhere), INFINITE)
        self.assertLessEqual(machine.memory(), psutil.virtual_memory().total)


class CoresTest(absltest.TestCase):
    @absltest.skipUnless(sys.platform == "linux", "affinity is set by a call of Linux's")
    def test_affinity_counts_for_runs_and_for_threads(self):
        before = os.sched_getaffinity(0)
        self.addCleanup(os.sched_setaffinity, 0, before)
        os.sched_setaffinity(0, {min(before)})
        self.assertEqual(machine.cores(), 1)
        self.assertLen(Local().places(threads=1, most=100, say=print), 1)
        with parallel.workers() as pool:
            self.assertEqual(pool._max_workers, 1)

    def test_a_quota_counts_for_runs_and_for_threads(self):
        for quota, expected in ((0.5, 1), (1.9, 1)):
            with absltest.mock.patch.object(machine, "cpu_quota", lambda quota=quota: quota):
                self.assertEqual(machine.cores(), expected)
                self.assertLen(Local().places(threads=1, most=100, say=print), expected)

    def test_memory_limits_the_places(self):
        with (
            absltest.mock.patch.object(machine, "cores", lambda: 64),
            absltest.mock.patch.object(machine, "memory_limit", lambda: 5 * 2**30),
        ):
            self.assertLen(Local().places(threads=1, most=100, say=print), 2)


if __name__ == "__main__":
    absltest.main()
