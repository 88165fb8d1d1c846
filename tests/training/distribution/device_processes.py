"""Processes whose processor is several logical devices: TensorFlow can divide it only before it starts."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rethink_keras.errors import UserError
from rethink_keras.training.accuracy import Accuracy
from rethink_keras.training.distribution import devices
from tests.data import made_imagenet
from tests.training.small_runs import paused, run, timeless
from tests.training.train_processes import ROOT

IMAGENET = (
    "dataset.name = 'imagenet2012'",
    "dataset.train_examples = None",
    "dataset.test_examples = None",
    "preprocessing.crop = 32",
    "preprocessing.normalization = 'symmetric'",
    "randomization.labels = 'random'",
    "train.batch_size = 16",
    "train.epochs = 1",
)


def on_devices(count: int, function: str, *arguments: Any) -> Any:
    """Calls a function of this module in a process with so many logical devices.

    Arguments and result travel as JSON.

    Raises:
        AssertionError: The process failed.
    """
    command = [sys.executable, "-m", __name__, str(count), function, json.dumps(arguments)]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])


def train_runs(jobs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Trains one run after another, on all logical devices if these are several.

    Args:
        jobs: `folder`, `bindings` and, to pause and resume, `pause_after` of each.

    Returns:
        `history` without times, `weights` as a fingerprint and `confusion` of each; or its `error`.
    """
    several = len(tf.config.list_logical_devices("CPU")) > 1
    strategy = f"train.strategy = '{'mirrored' if several else 'none'}'"
    results = []
    for job in jobs:
        folder, bindings = Path(job["folder"]), (strategy, *job["bindings"])
        try:
            if "pause_after" in job:
                paused(folder, job["pause_after"], *bindings)
            result = run(folder, *bindings)
        except UserError as error:
            results.append({"error": str(error)})
            continue
        confusion = folder / "confusion.json"
        results.append(
            {
                "history": timeless(result.history),
                "weights": result.summary["fingerprints"]["weights"],
                "confusion": json.loads(confusion.read_text()) if confusion.exists() else None,
            }
        )
    return results


def parts(sizes: Sequence[int]) -> list[list[tuple[list[int], list[int]]]]:
    """Returns the rows and labels that each replica gets of each of several batches.

    Row k of all examples has the value k and the label 10 k.
    """
    strategy = devices.choose("mirrored", in_memory=True).strategy
    bounds = np.cumsum([0, *sizes])
    batches = tf.data.Dataset.from_generator(
        lambda: (
            (np.arange(*ends, dtype=np.float32)[:, None], 10 * np.arange(*ends))
            for ends in itertools.pairwise(bounds)
        ),
        output_signature=(tf.TensorSpec([None, 1]), tf.TensorSpec([None], tf.int64)),
    )
    dealt = []
    for rows, labels in strategy.experimental_distribute_dataset(batches):
        pairs = zip(*map(strategy.experimental_local_results, (rows, labels)), strict=True)
        dealt.append([(row.numpy()[:, 0].tolist(), label.numpy().tolist()) for row, label in pairs])
    return dealt


def evaluated(logits: Sequence[Sequence[float]], labels: Sequence[int], batch_size: int) -> dict[str, Any]:
    """Returns what Keras's `evaluate` and `predict` give on all replicas.

    Args:
        logits: The examples, which the network returns as they are.
        labels: Of the examples.
        batch_size: Examples of every batch but the last.
    """
    strategy = devices.choose("mirrored", in_memory=True).strategy
    inputs = np.array(logits, np.float32)
    batches = tf.data.Dataset.from_tensor_slices((inputs, np.array(labels, np.int64))).batch(batch_size)
    with strategy.scope():
        identity = keras.layers.Dense(inputs.shape[1], kernel_initializer="identity")
        network = keras.Sequential([keras.Input(inputs.shape[1:]), identity])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        network.compile(loss=loss, metrics=[Accuracy()])
    logs = network.evaluate(batches, verbose=0, return_dict=True)
    return {**logs, "logits": network.predict(batches, verbose=0).tolist()}


def train_on_imagenet(folder: str, damaged: bool) -> dict[str, Any]:
    """Trains on the streamed images of a made ImageNet, on all logical devices if these are several.

    Args:
        folder: The run's.
        damaged: Change one bit of a record before.

    Returns:
        What `train_runs` returns of the run.
    """
    with made_imagenet.prepared() as builder:
        if damaged:
            path = min(Path(builder.data_dir).glob("*-train.tfrecord-*"))
            content = bytearray(path.read_bytes())
            content[500] ^= 1
            path.write_bytes(content)
        [result] = train_runs([{"folder": folder, "bindings": IMAGENET}])
    return result


if __name__ == "__main__":
    cpu = tf.config.list_physical_devices("CPU")[0]
    configuration = [tf.config.LogicalDeviceConfiguration()] * int(sys.argv[1])
    tf.config.set_logical_device_configuration(cpu, configuration)
    print(json.dumps(globals()[sys.argv[2]](*json.loads(sys.argv[3]))))
