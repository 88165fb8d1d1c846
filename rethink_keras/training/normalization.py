"""Batch normalization on processors: what Keras computes by a chain of operations, by TensorFlow's one kernel."""

from __future__ import annotations

import functools

import keras
import tensorflow as tf

from rethink_keras.models.nested import all_layers


def fuse(network: keras.Model) -> None:
    """Makes the batch normalizations of images in a network use TensorFlow's fused kernel.

    Only how they are computed changes, and with it the last bits. Those stay as they are that average over several
    replicas, have a renormalization, or whose channels are not the last axis; and all of them where there is a GPU.
    """
    if tf.config.list_logical_devices("GPU"):
        return
    for layer in all_layers(network):
        if isinstance(layer, keras.layers.BatchNormalization) and _can_be_fused(layer):
            layer.call = functools.partial(_normalize, layer)


def _can_be_fused(layer: keras.layers.BatchNormalization) -> bool:
    rank = layer.input_spec.ndim
    return rank == 4 and layer.axis in (-1, 3) and not (layer.renorm or layer.synchronized)


def _normalize(layer, inputs, training=None, mask=None):
    """What `keras.layers.BatchNormalization.call` does for images `[batch, height, width, channels]`."""
    images = tf.cast(inputs, tf.float32)
    channels = images.shape[-1]
    kernel = functools.partial(
        tf.raw_ops.FusedBatchNormV3,
        x=images,
        scale=tf.cast(layer.gamma, tf.float32) if layer.scale else tf.ones(channels),
        offset=tf.cast(layer.beta, tf.float32) if layer.center else tf.zeros(channels),
        epsilon=layer.epsilon,
    )
    if training and layer.trainable:
        normalized = kernel(mean=[], variance=[], is_training=True)
        count = tf.cast(tf.size(images) / channels, tf.float32)
        # The kernel's variance is the unbiased estimate, Keras's the mean square.
        variance = normalized.batch_variance * ((count - 1) / count)
        _move(layer.moving_mean, normalized.batch_mean, layer.momentum)
        _move(layer.moving_variance, variance, layer.momentum)
    else:
        normalized = kernel(
            mean=tf.cast(layer.moving_mean, tf.float32),
            variance=tf.cast(layer.moving_variance, tf.float32),
            is_training=False,
        )
    return tf.cast(normalized.y, layer.compute_dtype)


def _move(average, value, momentum: float) -> None:
    average.assign(tf.cast(average, value.dtype) * momentum + value * (1.0 - momentum))
