"""The paper's weight decay, coupled into the gradient, as part of the model."""

from __future__ import annotations

import random
from collections.abc import Iterable

import keras

from rethink_keras.errors import UserError
from rethink_keras.models.nested import all_layers

__all__ = ["with_weight_decay"]

# The penalties of Dense, convolution, depthwise and separable layers on their kernels.
_PENALTIES = ("kernel_regularizer", "depthwise_regularizer", "pointwise_regularizer")


def with_weight_decay(
    model: keras.Model, coefficient: float, layers: Iterable[str] | None = None
) -> keras.Model:
    """Returns a copy of a model whose kernels decay.

    Each decayed kernel w gets an L2 penalty with half the coefficient, `coefficient / 2 * sum(w ** 2)`, so
    that its gradient gains `coefficient * w` before momentum: the weight decay of SGD as the paper and its
    companion code use it. Biases and batch normalization do not decay. A penalty that a decayed layer
    already had is replaced. The penalty is among `model.losses` and in the saved model.

    The copy has the values of all the model's variables, the states of its dropout generators included,
    and Python's generator is left as it was found: with and without decay, a run begins alike and
    draws alike. The copy is not compiled unless the model was.

    Args:
      model: A functional or sequential model; models nested in it are copied with it.
      coefficient: What the decay adds to the gradient, in units of w; zero gives a plain copy.
      layers: Names of the layers that decay; None for all layers that have a kernel.

    Returns:
      A new model; the given one is not changed.

    Raises:
      UserError: The coefficient is negative, or a name is not that of a layer with a kernel.
    """
    if coefficient < 0:
        raise UserError(f"The weight decay must not be negative, and is {coefficient}.")
    with_kernel = [layer.name for layer in all_layers(model) if _penalties(layer.get_config())]
    decayed = set(with_kernel if layers is None else layers)
    unknown = sorted(decayed - set(with_kernel))
    if unknown:
        raise UserError(
            f"{model.name} has no layer with a kernel named {', '.join(unknown)}, so it cannot decay. "
            f"Name some of: {', '.join(with_kernel)}."
        )

    def clone(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        if coefficient and layer.name in decayed:
            config.update({key: keras.regularizers.L2(coefficient / 2) for key in _penalties(config)})
        return type(layer).from_config(config)

    state = random.getstate()  # initializers and dropout take their seeds from here
    copy = keras.models.clone_model(model, clone_function=clone, recursive=True)
    random.setstate(state)
    for new, old in zip(copy.variables, model.variables, strict=True):
        new.assign(old)
    return copy


def _penalties(config: dict) -> list[str]:
    """Returns the keys of a layer's configuration that hold the penalties on its kernels."""
    return [key for key in _PENALTIES if key in config]
