"""The input pipeline alone against the training it feeds, and the peak memory, on CIFAR-10.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.input_pipeline --pairs=5

In one run, in turn: one epoch of batches taken as fast as they come, and one epoch of training MLP 1x512 on the
same pipeline. Prints medians, the ratio pair by pair and the peak memory of the process; compare ratios, not
single readings.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time

import keras
import numpy as np
import tensorflow as tf
from absl import flags

from rethink_keras import config
from rethink_keras.commands import common
from rethink_keras.data.splits import Splits
from rethink_keras.models import mlp
from rethink_keras.training.callbacks import EpochData

BATCH_SIZE = 128
SETTINGS = ("dataset.name = 'cifar10'", "preprocessing.crop = 28", "randomization.labels = 'random'")


def main() -> None:
    """Runs the benchmark."""
    values = common.configuration_flags()
    flags.DEFINE_integer("pairs", 5, "Pairs of epochs.", flag_values=values)
    values(sys.argv)
    tf.config.experimental.enable_op_determinism()
    keras.utils.set_random_seed(0)
    config.parse(values.gin_file, [*SETTINGS, *common.bindings(values)])
    splits = Splits.configured(values.data_dir, 0)
    pipeline, test = splits.pipeline("train"), splits.pipeline("test")
    model = mlp((28, 28, 3), 10)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(
        keras.optimizers.SGD(0.01, momentum=0.9),
        loss,
        metrics=["accuracy"],
        steps_per_execution=32,
        jit_compile=False,
    )
    examples = pipeline.num_examples

    def feed() -> float:
        begin = time.perf_counter()
        pipeline.training_batches(BATCH_SIZE).reduce(
            np.int64(0), lambda seen, batch: seen + tf.size(batch[1], np.int64)
        )
        return examples / (time.perf_counter() - begin)

    def train() -> float:
        begin = time.perf_counter()
        batches = pipeline.training_batches(BATCH_SIZE)
        model.fit(batches, verbose=0, shuffle=False, callbacks=[EpochData(pipeline)])
        return examples / (time.perf_counter() - begin)

    feed(), train(), model.evaluate(test.evaluation_batches(1000), verbose=0)  # warm up
    pairs = [(feed(), train()) for _ in range(values.pairs)]
    for name, column in (("pipeline alone", 0), ("training MLP 1x512", 1)):
        print(f"{name:<20} {statistics.median(pair[column] for pair in pairs):>10,.0f} images/s (median)")
    ratios = ", ".join(f"{fed / trained:.1f}" for fed, trained in pairs)
    print(f"{'ratio by pair':<20} {ratios}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{'peak memory':<20} {peak:>10.2f} GiB")


if __name__ == "__main__":
    main()
