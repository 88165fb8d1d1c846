"""Copies of networks in which other layers take the place of some."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import keras

from rethink_keras.models.layers.local_response_normalization import LocalResponseNormalization
from rethink_keras.models.nested import all_layers
from rethink_keras.models.precision import dtype_policy

__all__ = ["copy_network", "has_batch_norm", "plain_network", "replace_batch_norm"]


def copy_network(
    network: keras.Model,
    copy_layer: Callable[[keras.layers.Layer], keras.layers.Layer],
    call_layer: Callable | None = None,
) -> keras.Model:
    """Returns a copy of a network with the values of all its variables, not compiled.

    The states of dropout's seed generators are copied too, and Python's random generator, from which new layers take
    their seeds, is left in its present state. A run that trains a copy therefore begins and draws like one that trains
    the network itself.

    Args:
      network: A functional or sequential model; models nested in it are copied with it.
      copy_layer: Returns the layer that takes a layer's place, with variables of the same shapes in the same order.
      call_layer: Called with such a layer and its arguments in place of the layer, as `call_function` of
        `keras.models.clone_model`.
    """
    state = random.getstate()
    uncompiled = network
    with dtype_policy(network.dtype_policy):
        if network.compiled:  # Keras would compile the copy likewise.
            uncompiled = keras.Model(network.input, network.output, name=network.name)
        copy = keras.models.clone_model(
            uncompiled, clone_function=copy_layer, call_function=call_layer, recursive=True
        )
    random.setstate(state)
    for new, old in zip(copy.variables, uncompiled.variables, strict=True):
        new.assign(keras.ops.convert_to_numpy(old))
    return copy


def plain_network(network: keras.Model) -> keras.Model:
    """Returns the network that is saved for users: layers and operations of Keras alone, not compiled.

    `keras.models.load_model` reads it in a process that has only Keras, for prediction and for fine-tuning. Its
    predictions are those of the given network up to rounding. Local response normalization becomes the operations of
    its formula; batch normalization is Keras's and averages over one replica.

    Args:
      network: A functional model of this package's layers and Keras's; it is not changed.
    """
    return replace_batch_norm(network, keras.layers.BatchNormalization, _call_plain_layer, synchronized=False)


def has_batch_norm(network: keras.Model) -> bool:
    """Returns whether a network has a batch normalization."""
    return any(isinstance(layer, keras.layers.BatchNormalization) for layer in all_layers(network))


def replace_batch_norm(
    network: keras.Model,
    layer_class: type[keras.layers.BatchNormalization],
    call_layer: Callable | None = None,
    **changes: Any,
) -> keras.Model:
    """Returns a copy of a network whose batch normalizations are of another class.

    Args:
      network: As for `copy_network`.
      layer_class: Keras's batch normalization or a subclass of it.
      call_layer: As for `copy_network`.
      **changes: Arguments of the layers that change.
    """

    def copy_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, keras.layers.BatchNormalization):
            return layer_class.from_config({**layer.get_config(), **changes})
        return type(layer).from_config(layer.get_config())

    return copy_network(network, copy_layer, call_layer)


def _call_plain_layer(layer, *args, **kwargs):
    if isinstance(layer, LocalResponseNormalization):
        return layer.keras_operations(*args)
    return layer(*args, **kwargs)
