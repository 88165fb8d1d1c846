"""Training steps in images per second, beside another system's and beside the machine's own rate.

    .venv/bin/python -m benchmarks.throughput
    .venv/bin/python -m benchmarks.throughput --peer='/tmp/torch/bin/python benchmarks/peers/pytorch.py'

A reading is whole training steps (forward, loss, backward, momentum; batches of 128) for --seconds, of the run that
`bin/train` makes of the network's gin file: CIFAR-10 (needs `TFDS_DATA_DIR`) with random labels. --gin_param changes
that run, for example its `train.precision`. With --peer, that command is run in turn with ours, as `COMMAND --model
NETWORK --loop LOOP --seconds S`, and must print a line of JSON with `images_per_second`. The rate of float32 matrix
products is measured in the same run, and a network's share of it comes from counted operations. benchmarks/README.md
explains how to read the results.
"""

from __future__ import annotations

import json
import os
import shlex
import statistics
import subprocess
import sys
import time

import rich.console
import rich.table
import tensorflow as tf
from absl import flags

from benchmarks.networks import NETWORKS, TimedTraining, configure
from rethink_keras.commands import command_flags
from rethink_keras.commands.tensorflow_start import start_tensorflow

SIDE = 4096  # of the matrices whose product gives the machine's rate


def main() -> None:
    """Runs the benchmark."""
    values = command_flags.configuration_flags()
    names = list(NETWORKS)
    flags.DEFINE_multi_enum("network", names, names, "Repeatable; all if left out.", flag_values=values)
    flags.DEFINE_string("peer", None, "Command of another system.", flag_values=values)
    loops = ["resident", "loader"]
    flags.DEFINE_enum("loop", "resident", loops, "How the peer reads its data.", flag_values=values)
    flags.DEFINE_integer("pairs", 5, "Readings of each.", lower_bound=1, flag_values=values)
    flags.DEFINE_float("seconds", 10, "Seconds of a reading.", lower_bound=0.1, flag_values=values)
    values(sys.argv)
    start_tensorflow(values.debug)
    tf.config.experimental.enable_op_determinism()
    results = [measure(name, values) for name in values.network]
    show(results, f"medians of {values.pairs}, load {os.getloadavg()[0]:.1f} at the end")


def measure(name: str, values: flags.FlagValues) -> dict:
    """Returns the medians of one network's readings, ours and the peer's in turn."""
    ours = TimedTraining.of(configure(name, values.gin_file, command_flags.bindings(values), values.data_dir))
    readings, theirs = [], []
    for pair in range(values.pairs):
        rate = matrix_product_rate()
        mine = ours.images_per_second(values.seconds)
        readings.append((mine, mine * ours.operations / rate))
        line = f"{name} {pair + 1}: {mine:,.0f} images/s; float32 products {rate / 1e9:.0f} GFLOP/s"
        if values.peer:
            theirs.append(peer(name, values))
            line += f"; peer {theirs[-1]:,.0f} images/s, ratio {mine / theirs[-1]:.2f}"
        print(line, flush=True)
    speeds = [mine for mine, _ in readings]
    share = statistics.median(share for _, share in readings)
    result = {"network": name, "ours": statistics.median(speeds), "share": share}
    if theirs:
        ratios = [mine / other for mine, other in zip(speeds, theirs, strict=True)]
        result |= {"peer": statistics.median(theirs), "ratio": statistics.median(ratios)}
    return result


def peer(name: str, values: flags.FlagValues) -> float:
    """Returns one reading of the other system, a process of its own."""
    command = f"{values.peer} --model {name} --loop {values.loop} --seconds {values.seconds}"
    done = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])["images_per_second"]


def matrix_product_rate() -> float:
    """Returns the floating-point operations per second of float32 matrix products, measured for a second."""
    ones = tf.ones((SIDE, SIDE))
    product = tf.linalg.matmul(ones, ones)  # warms up
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < 1:
        product = tf.linalg.matmul(ones, ones)
        product.numpy()[0, 0]
        count += 1
    return 2 * SIDE**3 * count / (time.perf_counter() - begin)


def show(results: list[dict], title: str) -> None:
    """Prints the table of medians."""
    table = rich.table.Table(title=title, title_justify="left")
    for column in ("network", "images/s", "peer", "ratio", "share of float32 products"):
        table.add_column(column, justify="left" if column == "network" else "right")
    for row in results:
        theirs = (f"{row['peer']:,.0f}", f"{row['ratio']:.2f}") if "peer" in row else ("", "")
        table.add_row(row["network"], f"{row['ours']:,.0f}", *theirs, f"{row['share']:.0%}")
    rich.console.Console().print(table)


if __name__ == "__main__":
    main()
