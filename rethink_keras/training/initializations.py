"""Initial weights that depend on the training images, for `train.initialization`."""

from __future__ import annotations

from typing import Protocol

import gin
import keras

from rethink_keras.data.batches import Batches
from rethink_keras.training.whitening import covariance, first_layer, inverse_root
from rethink_keras.validation import check_number


class Initialization(Protocol):
    """What `train.initialization` is bound to."""

    def __call__(self, network: keras.Model, batches: Batches) -> None:
        """Changes the initial weights of a network by its training images."""


@gin.configurable(denylist=["network", "batches"])
def whitened_first_kernel(network: keras.Model, batches: Batches, *, damping: float = 0.01) -> None:
    """Multiplies the initial kernel of the first layer by the inverse root of the covariance of its inputs.

    The layer begins as one that reads whitened inputs: whole images if it is dense, patches of the kernel's size if it
    is a convolution. Without it, random filters respond to little but brightness; see `training.whitening`.

    Args:
        network: A network that begins with a dense layer or a convolution.
        batches: Of the training split.
        damping: In units of the variance of a standardized pixel. A smaller one whitens more directions.

    Raises:
        UserError: The network begins otherwise, or several hosts train it.
    """
    check_number("whitened_first_kernel.damping", damping, 1e-12, 1e12)
    layer = first_layer(network, batches, "whitened_first_kernel")
    root = inverse_root(covariance(network, layer, batches), damping)
    kernel = keras.ops.convert_to_numpy(layer.kernel)
    layer.kernel.assign((root @ kernel.reshape(len(root), -1)).reshape(kernel.shape))
