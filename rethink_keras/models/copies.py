"""Copies of networks: with other layers in place of some, and of Keras's own layers alone."""

from __future__ import annotations

import random
from collections.abc import Callable

import keras

from rethink_keras.models.local_response_normalization import LocalResponseNormalization

__all__ = ["copy_network", "plain_network"]


def copy_network(
    network: keras.Model,
    copy_layer: Callable[[keras.layers.Layer], keras.layers.Layer],
    call_layer: Callable | None = None,
) -> keras.Model:
    """Returns a copy of a network with its weights, not compiled.

    Python's random generator, from which layers take their seeds, is left in its present state.

    Args:
      network: A functional model; models nested in it are copied with it.
      copy_layer: Returns the layer that takes a layer's place, with the same weights in the same order.
      call_layer: Called with such a layer and its arguments in place of the layer, as `call_function` of
        `keras.models.clone_model`.
    """
    uncompiled = keras.Model(network.input, network.output, name=network.name)
    state = random.getstate()
    copy = keras.models.clone_model(
        uncompiled, clone_function=copy_layer, call_function=call_layer, recursive=True
    )
    random.setstate(state)
    copy.set_weights(network.get_weights())
    return copy


def plain_network(network: keras.Model) -> keras.Model:
    """Returns the network that is saved for users: layers and operations of Keras alone, not compiled.

    `keras.models.load_model` reads it in a process that has only Keras, for prediction and for fine-tuning. Its
    predictions are those of the given network up to rounding. Local response normalization becomes the operations of
    its formula, and batch normalization averages over one replica.

    Args:
      network: A functional model of this package's layers and Keras's; it is not changed.
    """
    return copy_network(network, _plain_layer, _call_plain_layer)


def _plain_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
    config = layer.get_config()
    if isinstance(layer, keras.layers.BatchNormalization):
        return keras.layers.BatchNormalization.from_config({**config, "synchronized": False})
    return type(layer).from_config(config)


def _call_plain_layer(layer, *args, **kwargs):
    if isinstance(layer, LocalResponseNormalization):
        return layer.keras_operations(*args)
    return layer(*args, **kwargs)
