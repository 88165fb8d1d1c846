"""SGD for networks that read images whose directions vary very unequally."""

from __future__ import annotations

import keras
import numpy as np
import tensorflow as tf

from rethink_keras.data.batches import Batches
from rethink_keras.errors import UserError
from rethink_keras.training.optimizers.registration import DataDependent, optimizer
from rethink_keras.training.optimizers.sgd import FusedSGD
from rethink_keras.training.private_apis import variable_index
from rethink_keras.training.schedules import Schedule
from rethink_keras.training.whitening import covariance, first_layer, inverse_covariance
from rethink_keras.validation import check_fraction, check_number


class WhitenedSGD(FusedSGD, DataDependent):
    """SGD in which the first layer's gradient is multiplied by the inverse covariance of its inputs.

    With C the mean of x xᵀ over the training images x, the gradient of the first kernel becomes c (C + damping I)⁻¹
    times itself; c makes the mean square of a whitened input 1. The network reads the images as they are, and learns as
    SGD would on images that were whitened by (C + damping I)^(-1/2). Images vary far more along some directions than
    along others, and plain SGD learns along the latter last. This is the inputs' factor of the two of K-FAC (Martens
    and Grosse 2015), which is constant here since the images are.

    Args:
        learning_rate: Learning rate of all layers.
        momentum: As in SGD.
        damping: In units of the variance of a standardized pixel. A smaller one whitens more directions.
    """

    def __init__(self, learning_rate: Schedule, *, momentum: float, damping: float):
        super().__init__(learning_rate, momentum=momentum)
        self._damping = damping
        self._inverse: tf.Variable | None = None

    def adapt(self, network: keras.Model, batches: Batches) -> None:
        """Computes the inverse covariance: some seconds for CIFAR-10 on two cores.

        Raises:
            UserError: The network does not begin with a dense layer or a convolution, or several devices train it.
        """
        layer = first_layer(network, batches, "whitened_sgd")
        if tf.distribute.has_strategy():
            raise UserError(
                "whitened_sgd works on one device. Set train.strategy = 'none', or take another optimizer."
            )
        inverse = inverse_covariance(covariance(network, layer, batches), self._damping)
        # A variable, since a constant of this size would be copied into every compiled function. It is not among the
        # optimizer's own variables, which are those of Keras: a resumed run computes it again.
        self._inverse = tf.Variable(np.float32(inverse), trainable=False)
        self._kernel_index = variable_index(self, layer.kernel)

    def update_step(self, gradient, variable, learning_rate):
        """Updates a variable and its momentum in place.

        Raises:
            RuntimeError: `adapt` was not called before.
        """
        if self._inverse is None:
            raise RuntimeError(
                "WhitenedSGD has seen no images. Call adapt(network, batches) before training."
            )
        if variable_index(self, variable) == self._kernel_index:
            # A convolution's kernel `[height, width, inputs, outputs]` has a row for each value of a patch.
            rows = tf.reshape(tf.cast(gradient, tf.float32), (self._inverse.shape[0], -1))
            gradient = tf.reshape(tf.matmul(self._inverse, rows), variable.shape)
        super().update_step(gradient, variable, learning_rate)


@optimizer
def whitened_sgd(
    learning_rate: Schedule, *, momentum: float = 0.9, damping: float = 0.01
) -> keras.optimizers.Optimizer:
    """Returns `WhitenedSGD`."""
    check_fraction("whitened_sgd.momentum", momentum)
    check_number("whitened_sgd.damping", damping, 1e-12, 1e12)
    return WhitenedSGD(learning_rate, momentum=float(momentum), damping=float(damping))
