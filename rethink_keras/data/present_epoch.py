"""The number of the present epoch, as a dataset reads it."""

from __future__ import annotations

import uuid

import tensorflow as tf


class PresentEpoch:
    """The number of the present epoch, which datasets read once, when an iteration over them begins.

    It is a file, in TensorFlow's file system in memory. A variable would do, but with deterministic operations tf.data
    runs all stages of a dataset one after another, and does not prefetch, if any function of it reads a variable
    (grappler's pass make_deterministic: a training step could assign to it meanwhile). Files may be read.
    """

    def __init__(self):
        self._path = f"ram://rethink_keras/{uuid.uuid4().hex}"
        self.assign(0)

    def assign(self, epoch: int) -> None:
        """Sets the epoch of the iterations that begin from now on."""
        if tf.io.gfile.exists(self._path):
            tf.io.gfile.remove(self._path)  # a file in memory that exists would be appended to
        with tf.io.gfile.GFile(self._path, "w") as file:
            file.write(str(epoch))

    def dataset(self) -> tf.data.Dataset:
        """Returns a dataset of one element: the epoch, an int64 scalar."""
        return tf.data.TextLineDataset(self._path).map(lambda line: tf.strings.to_number(line, tf.int64))
