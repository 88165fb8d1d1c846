"""Batch normalization: of images on processors, by TensorFlow's fused kernel, and over several replicas."""

from __future__ import annotations

import functools

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="rethink_keras")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, computed by one kernel in place of a chain of operations.

    Keras computes the moments, the moving averages and the normalized values by about ten operations, each of which
    passes over the activations. On a processor the fused kernel, which passes over them twice, takes a fraction of the
    time. Results agree up to rounding.

    The kernel is for images `[batch, height, width, channels]`. Other inputs, a normalization of several replicas
    (`synchronized`) and batch renormalization are computed by the base class.
    """

    def call(self, inputs, training=None, mask=None):
        """Returns the normalized inputs, in the layer's compute dtype."""
        if not self._is_for_kernel():
            return super().call(inputs, training=training, mask=mask)
        images = tf.cast(inputs, tf.float32)  # squares overflow float16
        channels = images.shape[-1]
        kernel = functools.partial(
            tf.raw_ops.FusedBatchNormV3,
            x=images,
            scale=tf.cast(self.gamma, tf.float32) if self.scale else tf.ones(channels),
            offset=tf.cast(self.beta, tf.float32) if self.center else tf.zeros(channels),
            epsilon=self.epsilon,
        )
        if training and self.trainable:
            normalized = kernel(mean=[], variance=[], is_training=True)
            count = tf.cast(tf.size(images) / channels, tf.float32)
            # The kernel returns the unbiased estimate of the variance; Keras averages the mean square.
            variance = normalized.batch_variance * ((count - 1) / count)
            _update_averages(self, normalized.batch_mean, variance)
        else:
            normalized = kernel(
                mean=tf.cast(self.moving_mean, tf.float32),
                variance=tf.cast(self.moving_variance, tf.float32),
                is_training=False,
            )
        return tf.cast(normalized.y, self.compute_dtype)

    def _is_for_kernel(self) -> bool:
        is_image = self.input_spec.ndim == 4 and self.axis in (-1, 3)
        return is_image and not (self.renorm or self.synchronized)


@keras.saving.register_keras_serializable(package="rethink_keras")
class SynchronizedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization(synchronized=True)` with the moments that Keras computes on one device.

    Over replicas, Keras computes the variance as E[x^2] - E[x]^2, which loses digits where the mean is large against
    the deviation. This layer averages the mean over the replicas first, then the squared deviations from it: two
    reductions in place of three.

    All replicas must have the same number of examples. Normalization by moving averages, masks, renormalization, and
    other axes than the last are computed by the base class.
    """

    def call(self, inputs, training=None, mask=None):
        """Returns the normalized inputs, in the layer's compute dtype."""
        is_last = self.axis in (-1, len(inputs.shape) - 1)
        if self.renorm or mask is not None or not (is_last and training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        values = tf.cast(inputs, tf.float32)  # squares overflow float16
        axes = list(range(len(values.shape) - 1))
        mean = _mean_over_replicas(tf.reduce_mean(values, axes))
        # The deviations sum to zero: the gradient of their squares by the mean is zero.
        deviations = tf.math.squared_difference(values, tf.stop_gradient(mean))
        variance = _mean_over_replicas(tf.reduce_mean(deviations, axes))
        _update_averages(self, mean, variance)
        gamma = tf.cast(self.gamma, tf.float32) if self.scale else None
        beta = tf.cast(self.beta, tf.float32) if self.center else None
        normalized = tf.nn.batch_normalization(values, mean, variance, beta, gamma, self.epsilon)
        return tf.cast(normalized, self.compute_dtype)


def _mean_over_replicas(value: tf.Tensor) -> tf.Tensor:
    """Returns the mean of a value over all replicas; outside of a strategy's step, the value."""
    replica = tf.distribute.get_replica_context()
    return replica.all_reduce(tf.distribute.ReduceOp.MEAN, value) if replica else value


def _update_averages(layer: keras.layers.BatchNormalization, mean: tf.Tensor, variance: tf.Tensor) -> None:
    """Moves a layer's moving averages towards the moments of a batch."""
    for average, value in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
        average.assign(tf.cast(average, value.dtype) * layer.momentum + value * (1.0 - layer.momentum))
