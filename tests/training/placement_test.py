"""Data in memory: no operation of a step runs elsewhere than on the device that computes.

A second logical CPU device stands in for a GPU. Kernels for GPUs are registered in TensorFlow's package also where
there is no GPU, so that they can be looked up.
"""

import json
import subprocess
import sys
from pathlib import Path

import tensorflow as tf
from absl.testing import absltest, parameterized
from tensorflow.python.framework import kernels

from rethink_keras import config
from rethink_keras.training import data
from rethink_keras.training.config import RunConfig
from rethink_keras.training.network import build_network
from tests.training.small_runs import SMALL

ROOT = Path(__file__).parents[2]
AUGMENTED = (
    "augmentation.random_crop = True",
    "augmentation.padding = 2",
    "augmentation.flip = True",
    "augmentation.rotation = 20.0",
)
WIDE_RESNET = ("train.model = @wide_resnet", "wide_resnet.depth = 10", "regularization.dropout = 0.3")
SHARED, OWN = "randomization.pixels = 'shuffled'", "randomization.pixels = 'random'"

# Trains, evaluates and predicts on the second device, and prints what the partitions on the first one do.
ON_SECOND_DEVICE = """
import json, sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tensorflow.python.eager import context
from rethink_keras.training import evaluation
from rethink_keras.training.distribution.devices import Devices
from tests.training.placement_test import built

run_data, compiled = built(sys.argv[1:], Devices("CPU:1"))
network = compiled.network
with Devices("CPU:1").placement():
    run_data.train.set_epoch(0)
    ranges = evaluation.readings(network, run_data.test, 50)
    context.context().enable_run_metadata()
    network.fit(compiled.batch_source.dataset(0), verbose=0, shuffle=False)
    network.evaluate(ranges, verbose=0)
    network.predict(ranges, verbose=0)
    functions = context.context().export_run_metadata().function_graphs
found, second = [], 0
for function in functions:
    for part in function.partition_graphs:
        second += sum(node.device.endswith("CPU:1") for node in part.node)
        if not any("Dataset" in node.op for node in part.node):
            on_first = [node for node in part.node if node.device.endswith("CPU:0")]
            found += [(node.op, node.attr["T"].type, list(node.input)) for node in on_first]
print(json.dumps([found, second]))
"""
# What may stay on the host: reading the next range of steps, arguments, and their way to the other device as int32.
READING = {"AnonymousIteratorV3", "MakeIterator", "IteratorGetNext", "Const"}
TRANSFERS = READING | {
    "_Arg",
    "_DeviceArg",
    "_Send",
    "_Recv",
    "_HostSend",
    "_HostRecv",
    "_SwitchN",
    "Identity",
    "_Retval",
}
CONTROL_FLOW = {
    "Placeholder",
    "While",
    "StatelessWhile",
    "Case",
    "StatelessCase",
    "If",
    "StatelessIf",
    "NoOp",
}
CALLS = {"PartitionedCall", "StatefulPartitionedCall"}


def built(bindings, *devices):
    """The data and the compiled network of a small run."""
    config.parse([], [*SMALL, *bindings])
    run_config = RunConfig.from_gin()
    where = {"devices": devices[0]} if devices else {}
    run_data, regularization = data.read(run_config, device=devices[0].device if devices else "GPU:0")
    compiled = build_network(
        run_config,
        run_data.train,
        evaluated=(run_data.test,),
        num_classes=10,
        regularization=regularization,
        **where,
    )
    return run_data, compiled


def functions_within(graph, found):
    """Adds a graph and those of the functions that it calls, by identity."""
    if id(graph) in found:
        return
    found[id(graph)] = graph
    for operation in graph.get_operations():
        for attribute in operation.op_def.attr:
            if attribute.type in ("func", "list(func)"):
                value = operation.get_attr(attribute.name)
                for function in value if isinstance(value, list) else [value]:
                    functions_within(graph._get_function(function.name).graph, found)


def gpu_kernel(operation):
    """The kernel that a GPU has for an operation, or None."""

    def allows(constraint):
        allowed = list(constraint.allowed_values.list.type)
        return not allowed or operation.get_attr(constraint.name).as_datatype_enum in allowed

    for kernel in kernels.get_registered_kernels_for_op(operation.type).kernel:
        if kernel.device_type in ("GPU", "DEFAULT") and all(map(allows, kernel.constraint)):
            return kernel
    return None


def is_small(tensor):
    """Whether a tensor's size does not depend on the number of examples: a number, a shape, a padding."""
    shape = tensor.shape
    return (
        shape.rank == 0 or (shape.rank == 1 and tensor.dtype == tf.int32) or (shape.num_elements() or 99) <= 8
    )


class PlacementTest(parameterized.TestCase):
    @parameterized.parameters(
        (()),
        ((*WIDE_RESNET, *AUGMENTED, SHARED)),
        (("train.jit_compile = True",)),
    )
    def test_nothing_but_numbers_passes_through_the_first_device(self, *bindings):
        done = subprocess.run(
            [sys.executable, "-c", ON_SECOND_DEVICE, *bindings],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        found, second = json.loads(done.stdout.splitlines()[-1])
        self.assertGreater(second, 200)
        self.assertEmpty([node for node in found if node[0] not in TRANSFERS])
        # A send from a 'ctrl' node carries no data: it is how one device waits for another.
        sends = [(dtype, inputs[0]) for op, dtype, inputs in found if op == "_Send"]
        sent = {tf.as_dtype(dtype).name for dtype, source in sends if "/ctrl/" not in source}
        self.assertLessEqual(sent, {"int32"})

    @parameterized.parameters(
        (("evaluation.top5 = True",)),
        ((*WIDE_RESNET, *AUGMENTED, SHARED)),
        ((*WIDE_RESNET, *AUGMENTED, OWN)),
        ((*WIDE_RESNET, OWN, "train.precision = 'mixed_bfloat16'")),
        (("train.model = @small_alexnet", "augmentation.flip = True", "train.precision = 'mixed_float16'")),
        (("train.model = @small_inception", "regularization.weight_decay = 1e-4")),
        (("train.optimizer = @adam",)),
        (("train.optimizer = @rmsprop",)),
        (("train.optimizer = @muon",)),
        (("train.optimizer = @whitened_sgd",)),
    )
    def test_a_gpu_has_every_operation_of_a_step_and_of_an_evaluation(self, *bindings):
        if not any(k.device_type == "GPU" for k in kernels.get_registered_kernels_for_op("Conv2D").kernel):
            self.skipTest("TensorFlow's package was built without kernels for GPUs")
        tf.config.experimental.enable_op_determinism()
        _, compiled = built(bindings)
        number, found = tf.TensorSpec([], tf.int32), {}
        for step, argument in (
            (compiled.network.train_step, (number, number)),
            (compiled.network.test_step, {"split": number, "begin": number, "end": number}),
        ):
            functions_within(tf.function(step).get_concrete_function(argument).graph, found)
        operations = [operation for graph in found.values() for operation in graph.get_operations()]
        computing = [o for o in operations if o.type not in CONTROL_FLOW | CALLS]
        self.assertGreater(len(computing), 100)
        for operation in computing:
            kernel = gpu_kernel(operation)
            self.assertIsNotNone(kernel, f"{operation.type} {operation.name} {operation.node_def.attr}")
            if operation.type == "Const":
                continue
            for argument, tensor in zip(operation.op_def.output_arg, operation.outputs, strict=False):
                on_host = argument.name in kernel.host_memory_arg
                self.assertTrue(
                    not on_host or is_small(tensor), f"on the host: {operation.type} {operation.name}"
                )


if __name__ == "__main__":
    absltest.main()
