"""Stochastic gradient descent that whitens the images for the layer that reads them."""

from __future__ import annotations

import gin
import keras
import numpy as np
import tensorflow as tf

from rethink_keras.checks import check_number
from rethink_keras.data.batches import Batches
from rethink_keras.errors import UserError
from rethink_keras.models.nested import all_layers
from rethink_keras.training import optimizers
from rethink_keras.training.schedules import Schedule

CHUNK = 1000  # images whose products are summed at a time


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
    check_number("whitened_sgd.damping", damping, 1e-12, 1e12)
    optimizer = optimizers.sgd(learning_rate, momentum=momentum)
    optimizer.damping_of_whitening = damping
    return optimizer


def prepare(network: keras.Model, batches: Batches) -> None:
    """Computes, for `whitened_sgd`, what the gradient of a compiled network's first kernel is multiplied by.

    It takes some seconds for CIFAR-10 on two cores. Other optimizers stay as they are.

    Raises:
        UserError: if the network does not begin with a dense layer, or is trained on several devices.
    """
    optimizer = getattr(network.optimizer, "inner_optimizer", network.optimizer)  # of mixed precision
    damping = getattr(optimizer, "damping_of_whitening", None)
    if damping is None:
        return
    kernel = _first_kernel(network)
    if batches.share.workers > 1 or tf.distribute.has_strategy():
        raise UserError(
            "whitened_sgd works on one device. Set train.strategy = 'none', or take another optimizer."
        )
    inverse = tf.Variable(np.float32(inverse_covariance(batches, damping)), trainable=False)
    plain_step, of_kernel = optimizer.update_step, optimizer._get_variable_index(kernel)

    def step(gradient, variable, learning_rate):
        if optimizer._get_variable_index(variable) == of_kernel:
            gradient = tf.matmul(inverse, tf.cast(gradient, tf.float32))
        plain_step(gradient, variable, learning_rate)

    optimizer.update_step = step


def inverse_covariance(batches: Batches, damping: float) -> np.ndarray:
    """What `whitened_sgd` multiplies by: float64 `[inputs, inputs]`, inputs being height x width x channels."""
    inputs = int(np.prod(batches.input_shape))
    total = np.zeros((inputs, inputs))
    for images, _ in batches.evaluation_batches(CHUNK):
        rows = tf.reshape(images, (-1, inputs))
        total += tf.matmul(rows, rows, transpose_a=True).numpy()
    covariance = total / batches.num_examples
    inverse = np.linalg.inv(covariance + damping * np.eye(inputs))
    return inverse * (inputs / np.sum(inverse * covariance))


def _first_kernel(network: keras.Model) -> keras.Variable:
    first = next(layer for layer in all_layers(network) if layer.weights)
    if not isinstance(first, keras.layers.Dense):
        raise UserError(
            f"whitened_sgd is for networks that begin with a dense layer, and {network.name} begins with "
            f"{first.name}. Take @sgd or @adam, or an MLP."
        )
    return first.kernel
