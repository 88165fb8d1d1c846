"""How much arithmetic a model does."""

from __future__ import annotations

import math

import keras

__all__ = ["multiply_adds"]


def multiply_adds(model: keras.Model) -> int:
    """Counts the multiply-adds of one example's forward pass through the dense and convolution layers.

    Every weight of a kernel is used once at each output position. Normalization, pooling, activations and
    biases are not counted; they are a few per cent. A training step costs about three times as much for
    each example, and a multiply-add is two floating-point operations.

    Args:
      model: A functional or sequential model with fixed input shapes; layers of nested models count too.
        A layer that is used at several places is not supported.

    Returns:
      The number of multiply-adds.
    """
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            total += multiply_adds(layer)
        elif isinstance(layer, keras.layers.Dense | keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
            positions = math.prod(layer.output.shape[1:-1])
            total += positions * math.prod(layer.kernel.shape)
    return total
