"""What every tf.data dataset of this package is told."""

from __future__ import annotations

import tensorflow as tf


def options() -> tf.data.Options:
    """Elements in one fixed order, read nowhere but where they are used, and no tuning while they are read.

    The thread that tunes a dataset sleeps for ever longer spells, 10 ms and doubling, and the end of every pass waits
    until it wakes: with it, an epoch of 2.6 seconds takes 5.1. Without it, maps that are left to tf.data run on all
    cores, which is what these need.
    """
    told = tf.data.Options()
    told.deterministic = True
    told.autotune.enabled = False
    # Under a strategy a batch is split over the replicas; the epoch's order is not to be dealt out again.
    told.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    told.experimental_warm_start = False  # nothing is read before set_epoch
    return told
