"""Whitening of what the first layer of a network reads: whole images, or patches of a convolution's size.

Neighbouring pixels are nearly equal, so that images vary far more along some directions (brightness, slow gradients)
than along others, and what distinguishes one image from another of its kind lies along the latter. Whitening makes
all directions vary alike. Nothing here changes the images: an optimizer (`optimizers.whitened_sgd`) multiplies the
gradient of the first kernel by a function of the covariance of its inputs, and an initialization
(`initializations.whitened_first_kernel`) the kernel itself, which has the same effect.
"""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from rethink_keras.data.batches import Batches
from rethink_keras.errors import UserError
from rethink_keras.models.nested import all_layers

CHUNK = 1000  # images whose products are summed at a time


def first_layer(network: keras.Model, batches: Batches, name: str) -> keras.layers.Layer:
    """Returns the layer that reads the images: the first one with weights.

    Args:
        network: Built.
        batches: Of the training split.
        name: What needs the layer, for the message.

    Raises:
        UserError: It is neither a dense layer nor a convolution, or this host has a part of each batch only.
    """
    if batches.shard.workers > 1:
        raise UserError(f"{name} works on one host. Train on one, or leave {name} out.")
    first = next(layer for layer in all_layers(network) if layer.weights)
    if not isinstance(first, keras.layers.Dense | keras.layers.Conv2D):
        raise UserError(
            f"{name} is for networks that begin with a dense layer or a convolution, and {network.name} begins with "
            f"{first.name}. Leave {name} out, or take another network."
        )
    return first


def covariance(network: keras.Model, layer: keras.layers.Layer, batches: Batches) -> np.ndarray:
    """Returns the mean of x xᵀ over what a layer reads of the training images: float64 `[inputs, inputs]`.

    Args:
        network: A network whose layers before this one have no weights.
        layer: A dense layer, or a convolution, which reads patches of its kernel's size.
        batches: Of the training split.
    """
    before_layer = keras.Model(network.inputs, layer.input)
    total, count = np.float64(0), 0
    for images, _ in batches.eager_batches(CHUNK):
        inputs = tf.cast(
            before_layer(images), tf.float32
        )  # under mixed precision, sums would overflow float16
        if isinstance(layer, keras.layers.Conv2D):
            inputs = _patches(layer, inputs)
        total += np.float64(tf.matmul(inputs, inputs, transpose_a=True))
        count += len(inputs)
    return np.asarray(total / count)


def inverse_covariance(moments: np.ndarray, damping: float) -> np.ndarray:
    """Returns c (C + damping I)⁻¹ for a covariance C, with c such that a whitened input has the mean square 1."""
    inverse = np.linalg.inv(moments + damping * np.eye(len(moments)))
    return inverse * (len(moments) / np.sum(inverse * moments))


def inverse_root(moments: np.ndarray, damping: float) -> np.ndarray:
    """Returns c (C + damping I)^(-1/2) for a covariance C, with c such that an input keeps its mean square."""
    values, vectors = np.linalg.eigh(moments)
    scale = np.sqrt(np.sum(values) / np.sum(values / (values + damping)))
    return (vectors * (scale / np.sqrt(values + damping))) @ vectors.T


def _patches(layer: keras.layers.Conv2D, images: tf.Tensor) -> tf.Tensor:
    """Returns every patch that a convolution multiplies: `[patches, height * width * channels]`."""
    sizes, strides, rates = ((1, *of, 1) for of in (layer.kernel_size, layer.strides, layer.dilation_rate))
    patches = tf.image.extract_patches(images, sizes, strides, rates, layer.padding.upper())
    return tf.reshape(patches, (-1, patches.shape[-1]))
