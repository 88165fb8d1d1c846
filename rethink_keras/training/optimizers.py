"""Optimizers that a configuration can name. Weight decay is no matter of theirs: see `models.weight_decay`."""

from __future__ import annotations

import functools
from typing import Protocol

import gin
import keras
import tensorflow as tf

from rethink_keras.errors import UserError
from rethink_keras.training.schedules import Schedule


class OptimizerBuilder(Protocol):
    """What `train.optimizer` is bound to."""

    def __call__(self, learning_rate: Schedule) -> keras.optimizers.Optimizer:
        """The optimizer at the rate of a schedule."""


@gin.configurable(denylist=["learning_rate"])
def sgd(
    learning_rate: Schedule, *, momentum: float = 0.9, nesterov: bool = False
) -> keras.optimizers.Optimizer:
    """Stochastic gradient descent; momentum 0.9 is the paper's (appendix A)."""
    if not 0 <= momentum < 1:
        raise UserError(f"sgd.momentum is {momentum!r}. Give a number from 0 to below 1.")
    optimizer = keras.optimizers.SGD(learning_rate, momentum=momentum, nesterov=nesterov)
    if momentum:
        # In the object, not a subclass: saved models name Keras's SGD and load without this package.
        optimizer.update_step = functools.partial(_momentum_step, optimizer)
    return optimizer


def _momentum_step(optimizer, gradient, variable, learning_rate):
    """Keras's momentum update by TensorFlow's one kernel for it, which writes no intermediate tensors."""
    velocity = optimizer.momentums[optimizer._get_variable_index(variable)].value
    tf.raw_ops.ResourceApplyKerasMomentum(
        var=variable.handle,
        accum=velocity.handle,
        lr=tf.cast(learning_rate, variable.dtype),
        grad=tf.cast(gradient, variable.dtype),
        momentum=tf.constant(optimizer.momentum, variable.dtype),
        use_nesterov=optimizer.nesterov,
    )


@gin.configurable(denylist=["learning_rate"])
def adam(
    learning_rate: Schedule, *, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7
) -> keras.optimizers.Optimizer:
    """Adam (Kingma and Ba 2015) with Keras's defaults."""
    return keras.optimizers.Adam(learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)


@gin.configurable(denylist=["learning_rate"])
def rmsprop(
    learning_rate: Schedule, *, rho: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-7
) -> keras.optimizers.Optimizer:
    """RMSprop with Keras's defaults."""
    return keras.optimizers.RMSprop(learning_rate, rho=rho, momentum=momentum, epsilon=epsilon)
