"""The paper's weight decay, coupled into the gradient, as part of the model."""

from __future__ import annotations

from collections.abc import Iterable

import keras

from rethink_keras.errors import UserError
from rethink_keras.models.copies import copy_network
from rethink_keras.models.nested import all_layers
from rethink_keras.validation import check_choice

KERNELS, ALL = PARAMETERS = ("kernels", "all")
# The penalties of Dense, convolution, depthwise and separable layers on their kernels.
_OF_KERNELS = ("kernel_regularizer", "depthwise_regularizer", "pointwise_regularizer")
_OF_OTHERS = ("bias_regularizer", "gamma_regularizer", "beta_regularizer")


def with_weight_decay(
    model: keras.Model, coefficient: float, layers: Iterable[str] | None = None, *, parameters: str = KERNELS
) -> keras.Model:
    """Returns a copy of a model whose parameters decay.

    Each decayed parameter w gets an L2 penalty with half the coefficient, `coefficient / 2 * sum(w ** 2)`, in place of
    any penalty that it had. So its gradient gains `coefficient * w` before momentum: the weight decay of SGD, as in
    the paper and its companion code. The penalty is in `model.losses` and in the saved model.

    The copy has the values of all variables, including the states of dropout generators, and Python's generator is
    unchanged: a run begins and draws alike with and without decay.

    Args:
        model: A functional or sequential model; models nested in it are copied with it.
        coefficient: At least 0; with 0 the copy has no penalties.
        layers: Names of the layers that decay; None for all layers.
        parameters: 'kernels' for their kernels, or 'all' for their biases and batch normalization's scale and
            offset too, as in the companion code.

    Returns:
        A new model; the given one is not changed.

    Raises:
        UserError: The coefficient is negative, a name is not that of a layer with a kernel, or a layer has
            parameters that Keras cannot penalize.
    """
    if coefficient < 0:
        raise UserError(f"The weight decay must not be negative, and is {coefficient}.")
    check_choice("parameters", parameters, PARAMETERS)
    keys = (*_OF_KERNELS, *_OF_OTHERS) if parameters == ALL else _OF_KERNELS
    with_kernel = [layer.name for layer in all_layers(model) if _present(_OF_KERNELS, layer.get_config())]
    decayed = None if layers is None else set(layers)
    unknown = sorted((decayed or set()) - set(with_kernel))
    if unknown:
        raise UserError(
            f"{model.name} has no layer with a kernel named {', '.join(unknown)}, so it cannot decay. "
            f"Name some of: {', '.join(with_kernel)}."
        )

    def decays(layer: keras.layers.Layer) -> bool:
        return coefficient > 0 and (decayed is None or layer.name in decayed)

    def copy_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
        config = layer.get_config()
        if decays(layer):
            config.update({key: keras.regularizers.L2(coefficient / 2) for key in _present(keys, config)})
        return type(layer).from_config(config)

    copy = copy_network(model, copy_layer)
    if parameters == ALL:
        _check_all_decay(layer for layer in all_layers(copy) if decays(layer))
    return copy


def _present(keys: Iterable[str], config: dict) -> list[str]:
    """Returns the keys of penalties that a layer's configuration has."""
    return [key for key in keys if key in config]


def _check_all_decay(layers: Iterable[keras.layers.Layer]) -> None:
    """Raises UserError if a trainable parameter of these layers has no penalty."""
    left = [weight.path for layer in layers for weight in layer.trainable_weights if not weight.regularizer]
    if left:
        raise UserError(
            f"Keras has no penalty for {', '.join(left)}. Let kernels alone decay (parameters = '{KERNELS}')."
        )
