"""The cost of the input pipeline, and the peak memory, on CIFAR-10.

    TFDS_DATA_DIR=... .venv/bin/python -m benchmarks.input_pipeline --pairs=60

In one run, in turn: training MLP 1x512 on the pipeline, training it on one batch in memory, in the other order in
every second pair, and batches read as fast as they come. Prints medians, ratios pair by pair and the peak memory of
the process; compare ratios, not single readings.
"""

from __future__ import annotations

import resource
import statistics
import sys
import time

import numpy as np
import tensorflow as tf
from absl import flags

from benchmarks.networks import OneBatch, TimedTraining, configure
from rethink_keras.commands import command_flags
from rethink_keras.data.pipeline import Pipeline
from rethink_keras.training import data

SECONDS = 0.5  # of a reading: many short ones in turn average over a machine whose speed changes


def main() -> None:
    """Runs the benchmark."""
    values = command_flags.configuration_flags()
    flags.DEFINE_integer("pairs", 60, "Readings of each.", flag_values=values)
    values(sys.argv)
    tf.config.experimental.enable_op_determinism()
    config = configure("mlp_1x512", values.gin_file, command_flags.bindings(values), values.data_dir)
    batch_size = config.train.batch_size
    run_data, regularization = data.read(config)
    pipeline = run_data.train
    assert isinstance(pipeline, Pipeline)
    on_data = TimedTraining(config, pipeline, regularization)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # before the second copy of the images
    on_one_batch = TimedTraining(config, OneBatch(pipeline.split, batch_size), regularization)

    def pipeline_alone() -> float:
        begin = time.perf_counter()
        pipeline.training_batches(batch_size).reduce(
            np.int64(0), lambda seen, batch: seen + tf.size(batch[1], np.int64)
        )
        return pipeline.num_examples / (time.perf_counter() - begin)

    def pair(backwards: bool) -> tuple[float, float, float]:
        order = (on_one_batch, on_data) if backwards else (on_data, on_one_batch)
        rates = {trained: trained.images_per_second(SECONDS) for trained in order}
        return pipeline_alone(), rates[on_data], rates[on_one_batch]

    readings = [pair(backwards=bool(number % 2)) for number in range(values.pairs)]
    for number, name in enumerate(("pipeline alone", "MLP 1x512 on it", "MLP 1x512 on one batch")):
        print(f"{name:<24} {statistics.median(r[number] for r in readings):>10,.0f} images/s (median)")
    faster = [fed / trained for fed, trained, _ in readings]
    print(f"{'alone over training':<24} median {statistics.median(faster):.1f}")
    costs = [1 - trained / constant for _, trained, constant in readings]
    low, median, high = statistics.quantiles(costs, n=4)
    print(f"{'cost in training':<24} median {median:.1%}, half of the pairs between {low:.1%} and {high:.1%}")
    print(f"{'peak memory':<24} {peak:>10.2f} GiB")


if __name__ == "__main__":
    main()
