"""Optimizers that a configuration can name. Weight decay is no matter of theirs: see `models.weight_decay`."""

from __future__ import annotations

import functools
from typing import Protocol

import gin
import keras
import tensorflow as tf

from rethink_keras.training.schedules import Schedule
from rethink_keras.validation import check_fraction, check_number

EPSILONS = 1e-30, 1e30  # above the smallest float32, so that nothing is divided by 0


class OptimizerBuilder(Protocol):
    """What `train.optimizer` is bound to."""

    def __call__(self, learning_rate: Schedule) -> keras.optimizers.Optimizer:
        """The optimizer at the rate of a schedule."""


@gin.configurable(denylist=["learning_rate"])
def sgd(
    learning_rate: Schedule, *, momentum: float = 0.9, nesterov: bool = False
) -> keras.optimizers.Optimizer:
    """Stochastic gradient descent; momentum 0.9 is the paper's (appendix A)."""
    check_fraction("sgd.momentum", momentum)
    optimizer = keras.optimizers.SGD(learning_rate, momentum=float(momentum), nesterov=nesterov)
    if momentum:
        optimizer.update_step = functools.partial(_momentum_step, optimizer)
    return optimizer


@gin.configurable(denylist=["learning_rate"])
def adam(
    learning_rate: Schedule, *, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7
) -> keras.optimizers.Optimizer:
    """Adam (Kingma and Ba 2015) with Keras's defaults."""
    check_fraction("adam.beta_1", beta_1)
    check_fraction("adam.beta_2", beta_2)
    check_number("adam.epsilon", epsilon, *EPSILONS)
    optimizer = keras.optimizers.Adam(learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
    optimizer.update_step = functools.partial(_adam_step, optimizer)
    return optimizer


@gin.configurable(denylist=["learning_rate"])
def rmsprop(
    learning_rate: Schedule, *, rho: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-7
) -> keras.optimizers.Optimizer:
    """RMSprop with Keras's defaults."""
    check_fraction("rmsprop.rho", rho)
    check_fraction("rmsprop.momentum", momentum)
    check_number("rmsprop.epsilon", epsilon, *EPSILONS)
    return keras.optimizers.RMSprop(learning_rate, rho=rho, momentum=momentum, epsilon=epsilon)


@gin.configurable(denylist=["learning_rate"])
def muon(learning_rate: Schedule, *, momentum: float = 0.95) -> keras.optimizers.Optimizer:
    """Muon (Jordan et al. 2024): the momentum's nearest orthogonal matrix in place of the momentum.

    Keras's, without weight decay, for the kernels of convolutions too, each as a matrix `[height * width * inputs,
    outputs]`. The logits' kernel and all vectors are trained by Adam with the same rate, as Keras recommends.
    """
    check_fraction("muon.momentum", momentum)
    optimizer = keras.optimizers.Muon(
        learning_rate, momentum=momentum, weight_decay=None, adam_weight_decay=None, exclude_layers=["logits"]
    )
    optimizer.update_step = functools.partial(_muon_step, optimizer, optimizer.update_step)
    return optimizer


# Updates by TensorFlow's one kernel for each, which writes no intermediate tensors. They are put into Keras's objects.


def _momentum_step(optimizer, gradient, variable, learning_rate):
    """What `keras.optimizers.SGD.update_step` does with a momentum."""
    velocity = optimizer.momentums[optimizer._get_variable_index(variable)].value
    tf.raw_ops.ResourceApplyKerasMomentum(
        var=variable.handle,
        accum=velocity.handle,
        lr=tf.cast(learning_rate, variable.dtype),
        grad=tf.cast(gradient, variable.dtype),
        momentum=tf.constant(optimizer.momentum, variable.dtype),
        use_nesterov=optimizer.nesterov,
    )


def _adam_step(optimizer, gradient, variable, learning_rate):
    """What `keras.optimizers.Adam.update_step` does."""
    index, dtype = optimizer._get_variable_index(variable), variable.dtype
    step = tf.cast(optimizer.iterations + 1, dtype)
    beta_1, beta_2 = tf.constant(optimizer.beta_1, dtype), tf.constant(optimizer.beta_2, dtype)
    tf.raw_ops.ResourceApplyAdam(
        var=variable.handle,
        m=optimizer._momentums[index].value.handle,
        v=optimizer._velocities[index].value.handle,
        beta1_power=beta_1**step,
        beta2_power=beta_2**step,
        lr=tf.cast(learning_rate, dtype),
        beta1=beta_1,
        beta2=beta_2,
        epsilon=tf.constant(optimizer.epsilon, dtype),
        grad=tf.cast(gradient, dtype),
    )


def _muon_step(optimizer, keras_step, gradient, variable, learning_rate):
    """What `keras.optimizers.Muon.update_step` does, but for kernels `[height, width, inputs, outputs]`."""
    if len(variable.shape) != 4:
        keras_step(gradient, variable, learning_rate)
        return
    momentum = optimizer.momentums[optimizer._get_variable_index(variable)]
    momentum.assign(momentum * optimizer.momentum + gradient)
    direction = tf.reshape(gradient + optimizer.momentum * momentum, (-1, variable.shape[-1]))
    orthogonal = optimizer.zeropower_via_newtonschulz5(direction, optimizer.ns_steps)
    change = optimizer.lr_adjust(tf.cast(learning_rate, variable.dtype) * orthogonal)
    variable.assign_sub(tf.reshape(change, variable.shape))
