"""Muon (Jordan et al. 2024): the momentum's nearest orthogonal matrix in place of the momentum."""

from __future__ import annotations

import keras
import tensorflow as tf

from rethink_keras.training.optimizers.registration import optimizer
from rethink_keras.training.private_apis import variable_index
from rethink_keras.training.schedules import Schedule
from rethink_keras.validation import check_fraction


class ConvolutionalMuon(keras.optimizers.Muon):
    """`keras.optimizers.Muon` for the kernels of convolutions too.

    Keras trains every variable that is not a matrix by Adam. Here a kernel `[height, width, inputs, outputs]` is
    trained as the matrix `[height * width * inputs, outputs]` that multiplies the patches of the images.
    """

    def update_step(self, gradient, variable, learning_rate):
        """Updates a variable and its averages in place."""
        if len(variable.shape) != 4:
            super().update_step(gradient, variable, learning_rate)
            return
        momentum = self.momentums[variable_index(self, variable)]
        momentum.assign(momentum * self.momentum + gradient)
        direction = tf.reshape(gradient + self.momentum * momentum, (-1, variable.shape[-1]))
        orthogonal = self.zeropower_via_newtonschulz5(direction, self.ns_steps)
        change = self.lr_adjust(tf.cast(learning_rate, variable.dtype) * orthogonal)
        variable.assign_sub(tf.reshape(change, variable.shape))


@optimizer
def muon(learning_rate: Schedule, *, momentum: float = 0.95) -> keras.optimizers.Optimizer:
    """Returns Muon without weight decay.

    The logits' kernel and all vectors are trained by Adam with the same rate, as Keras recommends.
    """
    check_fraction("muon.momentum", momentum)
    return ConvolutionalMuon(
        learning_rate, momentum=momentum, weight_decay=None, adam_weight_decay=None, exclude_layers=["logits"]
    )
