"""Whitened images for the layer that reads them: in the gradient of its kernel, or in its initial kernel."""

from __future__ import annotations

from typing import Protocol

import gin
import keras
import numpy as np
import tensorflow as tf

from rethink_keras.data.batches import Batches
from rethink_keras.errors import UserError
from rethink_keras.models.nested import all_layers
from rethink_keras.training import optimizers
from rethink_keras.training.schedules import Schedule
from rethink_keras.validation import check_fraction, check_number

CHUNK = 1000  # images whose products are summed at a time


class Initialization(Protocol):
    """What `train.initialization` is bound to."""

    def __call__(self, network: keras.Model, batches: Batches) -> None:
        """Changes the initial weights of a network with a look at its training images."""


@gin.configurable(denylist=["learning_rate"])
def whitened_sgd(
    learning_rate: Schedule, *, momentum: float = 0.9, damping: float = 0.01
) -> keras.optimizers.Optimizer:
    """SGD in which the first layer's gradient is multiplied by the inverse covariance of its inputs.

    With C the mean of x xᵀ over the training images x, the gradient of the first kernel becomes c (C + damping I)⁻¹
    times itself; c makes the mean square of a whitened input 1. It does what SGD does on images that were whitened
    by (C + damping I)^(-1/2), to a network that reads the images as they are. Images vary far more along some
    directions than along others, and plain SGD learns along the latter last. It is the inputs' factor of the two of
    K-FAC (Martens and Grosse 2015), constant because the images are.

    Args:
        learning_rate: of all layers.
        momentum: as in SGD.
        damping: in units of the variance of a standardized pixel. Less of it whitens more directions.
    """
    check_fraction("whitened_sgd.momentum", momentum)
    check_number("whitened_sgd.damping", damping, 1e-12, 1e12)
    optimizer = optimizers.sgd(learning_rate, momentum=momentum)
    optimizer.damping_of_whitening = damping
    return optimizer


@gin.configurable(denylist=["network", "batches"])
def whitened_first_kernel(network: keras.Model, batches: Batches, *, damping: float = 0.01) -> None:
    """Multiplies the initial kernel of the first layer by the inverse root of the covariance of its inputs.

    The layer then begins as one that reads whitened inputs: whole images if it is dense, patches of the kernel's size
    if it is a convolution. Neighbouring pixels are nearly equal, so that random filters see little but brightness; what
    tells one image from another of its kind lies in the other directions.

    Args:
        network: begins with a dense layer or a convolution.
        batches: of the training split.
        damping: in units of the variance of a standardized pixel. Less of it whitens more directions.

    Raises:
        UserError: if the network begins otherwise, or several hosts train it.
    """
    check_number("whitened_first_kernel.damping", damping, 1e-12, 1e12)
    _check_all_images(batches, "whitened_first_kernel")
    layer = _first_layer(network, "whitened_first_kernel")
    root = inverse_root(covariance(network, layer, batches), damping)
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    layer.kernel.assign((root @ kernel.reshape(len(root), -1)).reshape(kernel.shape))


def prepare(network: keras.Model, batches: Batches) -> None:
    """Computes, for `whitened_sgd`, what the gradient of a compiled network's first kernel is multiplied by.

    It takes some seconds for CIFAR-10 on two cores. Other optimizers stay as they are.

    Raises:
        UserError: if the network begins with neither a dense layer nor a convolution, or is trained on several devices.
    """
    optimizer = getattr(network.optimizer, "inner_optimizer", network.optimizer)  # of mixed precision
    damping = getattr(optimizer, "damping_of_whitening", None)
    if damping is None:
        return
    layer = _first_layer(network, "whitened_sgd")
    _check_all_images(batches, "whitened_sgd")
    if tf.distribute.has_strategy():
        raise UserError(
            "whitened_sgd works on one device. Set train.strategy = 'none', or take another optimizer."
        )
    values = inverse_covariance(covariance(network, layer, batches), damping)
    inverse = tf.Variable(np.float32(values), trainable=False)
    plain_step, of_kernel = optimizer.update_step, optimizer._get_variable_index(layer.kernel)

    def step(gradient, variable, learning_rate):
        if optimizer._get_variable_index(variable) == of_kernel:
            rows = tf.reshape(tf.cast(gradient, tf.float32), (len(values), -1))
            gradient = tf.reshape(tf.matmul(inverse, rows), variable.shape)
        plain_step(gradient, variable, learning_rate)

    optimizer.update_step = step


def covariance(network: keras.Model, layer: keras.layers.Layer, batches: Batches) -> np.ndarray:
    """The mean of x xᵀ over what a layer reads of the training images: float64 `[inputs, inputs]`.

    Args:
        network: whose layers before this one have no weights.
        layer: a dense layer, or a convolution, which reads patches of its kernel's size.
        batches: of the training split.
    """
    reading = keras.Model(network.inputs, layer.input)
    total, count = np.float64(0), 0
    for images, _ in batches.evaluation_batches(CHUNK):
        inputs = tf.cast(reading(images), tf.float32)  # of mixed precision: sums overflow float16
        if isinstance(layer, keras.layers.Conv2D):
            inputs = _patches(layer, inputs)
        total += np.float64(tf.matmul(inputs, inputs, transpose_a=True))
        count += len(inputs)
    return np.asarray(total / count)


def inverse_covariance(moments: np.ndarray, damping: float) -> np.ndarray:
    """For a covariance C: c (C + damping I)⁻¹, c such that a whitened input has the mean square 1."""
    inverse = np.linalg.inv(moments + damping * np.eye(len(moments)))
    return inverse * (len(moments) / np.sum(inverse * moments))


def inverse_root(moments: np.ndarray, damping: float) -> np.ndarray:
    """For a covariance C: c (C + damping I)^(-1/2), c such that whitening keeps the mean square of an input."""
    values, vectors = np.linalg.eigh(moments)
    scale = np.sqrt(np.sum(values) / np.sum(values / (values + damping)))
    return (vectors * (scale / np.sqrt(values + damping))) @ vectors.T


def _patches(layer: keras.layers.Conv2D, images: tf.Tensor) -> tf.Tensor:
    sizes, strides, rates = ((1, *of, 1) for of in (layer.kernel_size, layer.strides, layer.dilation_rate))
    patches = tf.image.extract_patches(images, sizes, strides, rates, layer.padding.upper())
    return tf.reshape(patches, (-1, patches.shape[-1]))


def _check_all_images(batches: Batches, who: str) -> None:
    if batches.shard.workers > 1:
        raise UserError(f"{who} works on one host. Train on one, or leave {who} out.")


def _first_layer(network: keras.Model, who: str) -> keras.layers.Layer:
    first = next(layer for layer in all_layers(network) if layer.weights)
    if not isinstance(first, keras.layers.Dense | keras.layers.Conv2D):
        raise UserError(
            f"{who} is for networks that begin with a dense layer or a convolution, and {network.name} begins with "
            f"{first.name}. Leave {who} out, or take another network."
        )
    return first
