"""The order and the augmentation of an epoch."""

from __future__ import annotations

import keras

from rethink_keras.data.batches import Batches


class EpochOrder(keras.callbacks.Callback):
    """Draws the order and the augmentation of an epoch before its first batch is read.

    Args:
        batches: The training batches.
    """

    def __init__(self, batches: Batches):
        super().__init__()
        self._batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        self._batches.set_epoch(epoch)
