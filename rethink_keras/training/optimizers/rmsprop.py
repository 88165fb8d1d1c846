"""RMSprop."""

from __future__ import annotations

import keras

from rethink_keras.training.optimizers.registration import EPSILONS, optimizer
from rethink_keras.training.schedules import Schedule
from rethink_keras.validation import check_fraction, check_number


@optimizer
def rmsprop(
    learning_rate: Schedule, *, rho: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-7
) -> keras.optimizers.Optimizer:
    """Returns Keras's RMSprop with its defaults."""
    check_fraction("rmsprop.rho", rho)
    check_fraction("rmsprop.momentum", momentum)
    check_number("rmsprop.epsilon", epsilon, *EPSILONS)
    return keras.optimizers.RMSprop(learning_rate, rho=rho, momentum=momentum, epsilon=epsilon)
