"""Copies of networks in which other layers take the place of some."""

from __future__ import annotations

import random
from collections.abc import Callable

import keras

from rethink_keras.models.layers.batch_normalization import FusedBatchNormalization
from rethink_keras.models.layers.local_response_normalization import LocalResponseNormalization
from rethink_keras.models.nested import all_layers
from rethink_keras.models.precision import dtype_policy

__all__ = ["copy_network", "plain_network", "with_fused_batch_norm", "with_synchronized_batch_norm"]


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
    with dtype_policy(network.dtype_policy):
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
    plain = _copy_batch_norm(keras.layers.BatchNormalization, synchronized=False)
    return copy_network(network, plain, _call_plain_layer)


def with_fused_batch_norm(network: keras.Model) -> keras.Model:
    """Returns a copy with `FusedBatchNormalization`; the network itself without batch normalization."""
    return _with_batch_norm(network, _copy_batch_norm(FusedBatchNormalization))


def with_synchronized_batch_norm(network: keras.Model) -> keras.Model:
    """Returns a copy that normalizes by moments over all replicas; the network itself without batch normalization."""
    return _with_batch_norm(network, _copy_batch_norm(keras.layers.BatchNormalization, synchronized=True))


def _with_batch_norm(network: keras.Model, copy_layer: Callable) -> keras.Model:
    has_any = any(isinstance(layer, keras.layers.BatchNormalization) for layer in all_layers(network))
    return copy_network(network, copy_layer) if has_any else network


def _copy_batch_norm(layer_class: type[keras.layers.Layer], **changes) -> Callable:
    """Returns a `copy_layer` that makes every batch normalization one of a class, with changes to its configuration."""

    def copy_layer(layer: keras.layers.Layer) -> keras.layers.Layer:
        if isinstance(layer, keras.layers.BatchNormalization):
            return layer_class.from_config({**layer.get_config(), **changes})
        return type(layer).from_config(layer.get_config())

    return copy_layer


def _call_plain_layer(layer, *args, **kwargs):
    if isinstance(layer, LocalResponseNormalization):
        return layer.keras_operations(*args)
    return layer(*args, **kwargs)
