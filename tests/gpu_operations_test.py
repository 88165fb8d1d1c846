"""Every operation of a run is in the table of docs/gpu.md, which says what it does on GPUs under determinism.

What the table says of an operation was read in TensorFlow's sources by somebody. A new operation makes the test fail
until somebody has read what it does.
"""

import functools
import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import tensorflow as tf
from absl.testing import absltest
from tensorflow.python.framework import kernels

from rethink_keras import models
from rethink_keras.training import optimizers

ROOT = Path(__file__).parents[1]
SECTION = "Operations under determinism"
ON_HOST = "no kernel"  # in the first column of rows whose operations compute on the host
RAISES = "raises an error"  # in the first column of the row whose operations no run may have
# Runs in a process of its own, so that it sees no other test's operations, and prints them by case.
COLLECT = """
import json, sys
from pathlib import Path
from tensorflow.python.eager import context
from rethink_keras.training.callbacks import CALLBACKS
from rethink_keras.training.callbacks.run_callback import RunCallback
from tests.training.small_runs import run

found = set()

@CALLBACKS.register("collect_operations")
class CollectOperations(RunCallback):
    # After an epoch, all functions of the step and of the evaluation exist. Operations outside of functions are in
    # functions of one operation. The functions of tf.data are always computed on the host.
    def on_epoch_end(self, epoch, logs=None):
        for name in context.context().list_function_names():
            if "Dataset" not in name:
                found.update(node.op for node in context.context().get_function_def(name).node_def)

folder, cases = Path(sys.argv[1]), json.loads(sys.argv[2])
seen = {}
for name, bindings in cases.items():
    found.clear()
    run(folder / name, "train.callbacks = ('collect_operations',)", *bindings)
    seen[name] = sorted(found)
print(json.dumps(seen))
"""
TINY = (
    "dataset.train_examples = 10",
    "dataset.test_examples = 2",
    "train.batch_size = 5",
    "train.steps_per_execution = 1",
    "train.epochs = 1",
    "train.strategy = 'none'",
)
OF_NETWORKS = {
    "wide_resnet": ["wide_resnet.depth = 10", "regularization.dropout = 0.1"],
    "small_inception": ["evaluation.batch_norm = 'recomputed'"],
}
OPTIONS = {
    "regularization": ["regularization.dropout = 0.2", "regularization.weight_decay = 1e-4"],
    "mixed_float16": ["train.precision = 'mixed_float16'"],
    "mixed_bfloat16": ["train.precision = 'mixed_bfloat16'"],
    "no_momentum": ["sgd.momentum = 0.0"],
    "nesterov": ["sgd.nesterov = True"],
    "augmentation": [
        "augmentation.random_crop = True",
        "augmentation.padding = 2",
        "augmentation.flip = True",
        "augmentation.rotation = 10.0",
    ],
    "shuffled_augmented": ["augmentation.flip = True", "randomization.pixels = 'shuffled'"],
    "random_pixels_augmented": ["augmentation.flip = True", "randomization.pixels = 'random'"],
    "evaluation": ["evaluation.top5 = True", "train.tensorboard = True", "randomization.labels = 'random'"],
    "whitened_first_kernel": ["train.initialization = @whitened_first_kernel"],
}


def cases():
    """The configurations to trace: every network, every optimizer, and what else changes a step or an evaluation."""
    networks = [name for name in dir(models) if hasattr(getattr(models, name), "default_regularization")]
    names = [
        module.name for module in pkgutil.iter_modules(optimizers.__path__) if module.name != "registration"
    ]
    return {
        **{name: [*TINY, f"train.model = @{name}", *OF_NETWORKS.get(name, [])] for name in networks},
        **{name: [*TINY, f"train.optimizer = @{name}"] for name in names},
        **{name: [*TINY, *bindings] for name, bindings in OPTIONS.items()},
    }


@functools.cache
def table():
    """The rows of the table: the first column and the names of the operations in the last."""
    section = (ROOT / "docs" / "gpu.md").read_text().partition(f"## {SECTION}\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.*) \|$", section, re.MULTILINE)
    return [(what, re.findall(r"`(\w+)`", names)) for what, names in rows if "`" in names]


def has_gpu_kernel(operation):
    """Whether TensorFlow's build for CUDA registers a kernel for GPUs, or one for all devices."""
    registered = {kernel.device_type for kernel in kernels.get_registered_kernels_for_op(operation).kernel}
    return bool(registered & {"GPU", "DEFAULT"})


class OperationsTest(absltest.TestCase):
    def test_every_operation_of_a_run_is_in_the_table(self):
        known = {name for what, names in table() if RAISES not in what for name in names}
        command = [sys.executable, "-c", COLLECT, self.create_tempdir().full_path, json.dumps(cases())]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        seen = json.loads(done.stdout.splitlines()[-1])
        self.assertEqual(list(seen), list(cases()))
        used = {name for names in seen.values() for name in names}
        self.assertContainsSubset({"MatMul", "Conv2DBackpropFilter", "ImageProjectiveTransformV3"}, used)
        new = {
            case: unknown
            for case, names in seen.items()
            # Names of oneDNN's kernels, which are for processors.
            if (unknown := [name for name in names if name not in known and not name.startswith("_Mkl")])
        }
        self.assertEmpty(new)


class TableTest(absltest.TestCase):
    def test_no_operation_is_in_two_rows(self):
        names = [name for _, row in table() for name in row]
        self.assertGreater(len(names), 80)
        self.assertLen(set(names), len(names))

    def test_the_row_of_errors_is_found(self):
        self.assertLen([what for what, _ in table() if RAISES in what], 1)

    def test_the_rows_say_where_there_is_a_kernel(self):
        if not tf.test.is_built_with_cuda():
            self.skipTest("This TensorFlow registers no kernels for GPUs.")
        for what, names in table():
            for name in names:
                self.assertEqual(has_gpu_kernel(name), ON_HOST not in what, name)


if __name__ == "__main__":
    absltest.main()
