"""Stochastic gradient descent."""

from __future__ import annotations

import keras
import tensorflow as tf

from rethink_keras.training.optimizers.registration import optimizer
from rethink_keras.training.private_apis import variable_index
from rethink_keras.training.schedules import Schedule
from rethink_keras.validation import check_fraction


class FusedSGD(keras.optimizers.SGD):
    """`keras.optimizers.SGD` whose momentum step is one kernel of TensorFlow, without intermediate tensors."""

    def update_step(self, gradient, variable, learning_rate):
        """Updates a variable and its momentum in place."""
        if not self.momentum:
            super().update_step(gradient, variable, learning_rate)
            return
        velocity = self.momentums[variable_index(self, variable)].value
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle,
            accum=velocity.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
            momentum=tf.constant(self.momentum, variable.dtype),
            use_nesterov=self.nesterov,
        )


@optimizer
def sgd(
    learning_rate: Schedule, *, momentum: float = 0.9, nesterov: bool = False
) -> keras.optimizers.Optimizer:
    """Returns stochastic gradient descent; momentum 0.9 is the paper's (appendix A)."""
    check_fraction("sgd.momentum", momentum)
    return FusedSGD(learning_rate, momentum=float(momentum), nesterov=nesterov)
