import threading
from unittest import mock

import threadpoolctl
from absl.testing import absltest, parameterized

from rethink_keras.system import machine
from rethink_keras.theory import parallel


class ParallelTest(parameterized.TestCase):
    def test_a_thread_a_core_with_blas_in_the_calling_thread(self):
        barrier = threading.Barrier(3, timeout=60)

        def blas_threads(_):
            barrier.wait()  # passes only if three threads run at once
            return [
                pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"
            ]

        with mock.patch.object(machine, "cores", lambda: 3), parallel.workers() as pool:
            found = list(pool.map(blas_threads, range(3)))
        self.assertEqual({count for counts in found for count in counts}, {1})

    @parameterized.parameters((0, []), (4, [slice(0, 4)]), (6, [slice(0, 4), slice(4, 6)]))
    def test_panels(self, count, slices):
        self.assertEqual(parallel.panels(count, 4), slices)

    def test_panels_from_a_start(self):
        self.assertEqual(parallel.panels(9, 4, start=2), [slice(2, 6), slice(6, 9)])


if __name__ == "__main__":
    absltest.main()
