from unittest import mock

from absl.testing import absltest, parameterized

from rethink_keras.experiments import placement
from rethink_keras.system import machine


class ThreadsTest(parameterized.TestCase):
    @parameterized.parameters(
        (2, None, 2, 2), (2, 3, 2, 2), ("auto", 3, 2, 3), ("auto", None, 2, 4), ("auto", None, 9, 1)
    )
    def test_as_bound_then_as_before_then_by_the_cores(self, requested, earlier, runs, threads):
        with mock.patch.object(machine, "cores", lambda: 8):
            self.assertEqual(placement.threads_per_run(requested, earlier, runs), threads)


class EnvironmentsTest(absltest.TestCase):
    def test_runs_take_the_gpus_in_turn(self):
        found = placement.environments(3, ["0", "1"])
        self.assertEqual([one["CUDA_VISIBLE_DEVICES"] for one in found], ["0", "1", "0"])
        self.assertEqual({one["TF_FORCE_GPU_ALLOW_GROWTH"] for one in found}, {"true"})

    def test_without_gpus(self):
        self.assertEqual(placement.environments(2, []), [{}, {}])


if __name__ == "__main__":
    absltest.main()
