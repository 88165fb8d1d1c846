"""The accuracy of a step and of an evaluation, as a metric."""

from __future__ import annotations

import keras
import tensorflow as tf


class Accuracy(keras.metrics.MeanMetricWrapper):
    """The fraction of examples whose largest logit is that of their label.

    Keras's `SparseCategoricalAccuracy` gives the same number. Its argmax tells -0.0 from 0.0 by operations on int32,
    which TensorFlow has for the host only: on a GPU, every step would wait for a copy of its logits.
    """

    def __init__(self, name: str = "accuracy"):
        super().__init__(_is_likeliest, name=name)


def _is_likeliest(labels: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Returns 1 or 0 for each of int64 labels `[batch]` and logits `[batch, classes]`: float32 `[batch]`."""
    likeliest = tf.argmax(logits, axis=-1)
    return tf.cast(likeliest == tf.cast(labels, likeliest.dtype), tf.float32)
