import contextlib
import io
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

import tensorflow as tf
from absl.testing import absltest

from rethink_keras import config
from rethink_keras.system import machine
from rethink_keras.theory.expressivity_table import expressivity_table
from rethink_keras.training import start_lines, train
from rethink_keras.training.config import RunConfig
from rethink_keras.training.distribution import devices, machine_line
from tests.training.small_runs import SMALL

ROOT = Path(__file__).parents[3]
TWO_DEVICES = """
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from rethink_keras.training.distribution.machine_line import device_words
print(device_words(tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]), "float32"))
"""


def gpus(*names):
    return mock.patch.object(devices, "gpu_names", return_value=list(names))


def strategy(here, replicas):
    extended = mock.Mock(worker_devices=("GPU",) * here)
    return mock.Mock(spec=tf.distribute.Strategy, extended=extended, num_replicas_in_sync=replicas)


class DeviceWordsTest(absltest.TestCase):
    def test_the_processor_and_the_precision(self):
        with gpus():
            line = machine_line.device_words(None, "mixed_bfloat16")
        self.assertIn(f"{os.cpu_count()} cores, {machine.threads()} thread", line)
        self.assertEndsWith(line, ", mixed_bfloat16")

    def test_one_gpu(self):
        with gpus("NVIDIA A100"):
            self.assertIn("one GPU (NVIDIA A100), float32", machine_line.device_words(None, "float32"))

    def test_one_gpu_of_several_names_the_way_to_all(self):
        with gpus("NVIDIA A100", "NVIDIA A100"):
            line = machine_line.device_words(None, "float32")
        self.assertIn("one GPU (NVIDIA A100) of 2; train.strategy = 'mirrored'", line)

    def test_several_gpus(self):
        with gpus("NVIDIA A100", "NVIDIA L4"):
            line = machine_line.device_words(strategy(2, 2), "float32")
        self.assertIn("2 GPUs (NVIDIA A100, NVIDIA L4), float32", line)

    def test_one_of_several_workers(self):
        with gpus("NVIDIA L4"):
            line = machine_line.device_words(strategy(1, 3), "float32")
        self.assertIn("one GPU (NVIDIA L4), one of 3 workers, float32", line)

    def test_a_real_strategy_of_two_parts_of_the_processor(self):
        command = [sys.executable, "-c", TWO_DEVICES]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        self.assertIn("as 2 devices, float32", done.stdout)


class LogTest(absltest.TestCase):
    """Each run prints its line once."""

    def printed(self, bindings, start):
        config.parse([], bindings)
        try:
            with contextlib.redirect_stdout(io.StringIO()) as out:
                start(Path(self.create_tempdir()))
        finally:
            config.clear()
        return [line for line in out.getvalue().splitlines() if line.startswith(("Device:", "Computing on "))]

    def test_a_training_run(self):
        bindings = [*SMALL, "train.epochs = 1"]
        lines = self.printed(bindings, lambda folder: train.train(RunConfig.from_gin(), workdir=folder))
        self.assertEqual(lines, [start_lines.line("Device", machine_line.device_words(None, "float32"))])

    def test_an_experiment_of_theory(self):
        bindings = [
            "dataset.name = 'digits'",
            "expressivity_table.sizes = (10,)",
            "expressivity_table.depths = (2,)",
        ]
        lines = self.printed(bindings, lambda folder: expressivity_table(workdir=folder, data_dir=None))
        self.assertEqual(lines, [machine_line.theory_line()])

    def test_features_are_computed_on_a_gpu(self):
        with gpus("NVIDIA L4"):
            self.assertRegex(machine_line.theory_line(), r"cores.*features and networks on NVIDIA L4\.$")


if __name__ == "__main__":
    absltest.main()
