"""Counts the arithmetic of a model."""

from __future__ import annotations

import math
from collections.abc import Iterator

import keras


def multiply_adds(model: keras.Model) -> int:
    """Counts the multiply-adds of one example's forward pass through the dense and convolution layers.

    Every weight of a kernel is used once at each output position. Normalization, pooling, activations and
    biases are not counted; they are a few per cent.

    Args:
        model: A functional or sequential model with fixed input shapes; layers of nested models count too. No layer
            may be used twice.

    Returns:
        The number of multiply-adds.
    """
    return sum(_multiply_adds_by_layer(model))


def training_operations(model: keras.Model) -> int:
    """Counts the floating-point operations of one example in a training step, of the layers of `multiply_adds`.

    Forward pass, gradient of the weights and gradient of the inputs take the same number each. The first layer's
    inputs are images, which need no gradient.

    Args:
        model: As for `multiply_adds`.

    Returns:
        The number of floating-point operations, two for each multiply-add.
    """
    layers = list(_multiply_adds_by_layer(model)) or [0]
    return 2 * (3 * sum(layers) - layers[0])


def _multiply_adds_by_layer(model: keras.Model) -> Iterator[int]:
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _multiply_adds_by_layer(layer)
        elif isinstance(layer, keras.layers.Dense | keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
            yield math.prod(layer.output.shape[1:-1]) * math.prod(layer.kernel.shape)
