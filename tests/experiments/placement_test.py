import os
import subprocess
import sys
from unittest import mock

import tensorflow as tf
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.experiments import placement
from rethink_keras.experiments.placement import Place
from rethink_keras.system import machine


class CoresTest(parameterized.TestCase):
    @parameterized.parameters((2, 4), (3, 2), (8, 1), (9, 1))
    def test_runs_share_the_cores_and_have_one_at_least(self, runs, threads):
        with mock.patch.object(machine, "cores", lambda: 8):
            self.assertEqual(placement.cores_each(runs), threads)


class GpusTest(parameterized.TestCase):
    @parameterized.parameters(
        (None, [0, 1], ["0", "1"]),
        ("2,3", [0, 1], ["2", "3"]),
        ("3, 2", [0, 1], ["3", "2"]),
        ("GPU-8932f937,MIG-3eb87630", [0, 1], ["GPU-8932f937", "MIG-3eb87630"]),
        ("2,3", [1], ["3"]),  # TensorFlow leaves out a GPU that is too old for it
        ("0,9,1", [0], ["0"]),  # CUDA ends at an entry that no GPU has
        ("-1", [], []),
        ("", [], []),
    )
    def test_names_are_entries_of_the_visible_gpus(self, visible, numbers, names):
        self.assertEqual(placement.named_gpus(numbers, visible), names)

    @parameterized.parameters("2", "")
    def test_a_gpu_without_an_entry_is_told(self, visible):
        with self.assertRaisesRegex(UserError, "CUDA_VISIBLE_DEVICES"):
            placement.named_gpus([0, 1], visible)

    def test_gpus_are_those_of_tensorflow_in_this_environment(self):
        devices = [tf.config.PhysicalDevice(f"/physical_device:GPU:{k}", "GPU") for k in range(2)]
        with (
            mock.patch.object(tf.config, "list_physical_devices", lambda kind: devices),
            mock.patch.dict(os.environ, CUDA_VISIBLE_DEVICES="2,3"),
        ):
            self.assertEqual(placement.gpus(), ["2", "3"])

    @parameterized.parameters("", "-1")
    def test_no_visible_gpu(self, visible):
        code = "from rethink_keras.experiments import placement; print(placement.gpus())"
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": visible}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        self.assertEqual(done.stdout, "[]\n")


class PlacesTest(absltest.TestCase):
    def test_runs_take_the_gpus_in_turn(self):
        found = placement.places(3, ["2", "GPU-8932f937"])
        visible = [place.environment["CUDA_VISIBLE_DEVICES"] for place in found]
        self.assertEqual(visible, ["2", "GPU-8932f937", "2"])
        self.assertEqual({place.environment["TF_FORCE_GPU_ALLOW_GROWTH"] for place in found}, {"true"})
        self.assertEqual([place.shares_gpu for place in found], [True, False, True])

    def test_without_gpus(self):
        self.assertEqual(placement.places(2, []), [Place(), Place()])


if __name__ == "__main__":
    absltest.main()
