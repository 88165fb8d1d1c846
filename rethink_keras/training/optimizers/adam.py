"""Adam (Kingma and Ba 2015)."""

from __future__ import annotations

import keras
import tensorflow as tf

from rethink_keras.training.optimizers.registration import EPSILONS, optimizer
from rethink_keras.training.private_apis import adam_averages
from rethink_keras.training.schedules import Schedule
from rethink_keras.validation import check_fraction, check_number


class FusedAdam(keras.optimizers.Adam):
    """`keras.optimizers.Adam` whose step is one kernel of TensorFlow, without intermediate tensors."""

    def update_step(self, gradient, variable, learning_rate):
        """Updates a variable and its moving averages in place."""
        dtype = variable.dtype
        mean, mean_square = adam_averages(self, variable)
        step = tf.cast(self.iterations + 1, dtype)
        beta_1, beta_2 = tf.constant(self.beta_1, dtype), tf.constant(self.beta_2, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=mean.value.handle,
            v=mean_square.value.handle,
            beta1_power=beta_1**step,
            beta2_power=beta_2**step,
            lr=tf.cast(learning_rate, dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.constant(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )


@optimizer
def adam(
    learning_rate: Schedule, *, beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-7
) -> keras.optimizers.Optimizer:
    """Returns Adam with Keras's defaults."""
    check_fraction("adam.beta_1", beta_1)
    check_fraction("adam.beta_2", beta_2)
    check_number("adam.epsilon", epsilon, *EPSILONS)
    return FusedAdam(learning_rate, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon)
