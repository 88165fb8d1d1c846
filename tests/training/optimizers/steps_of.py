"""Steps of optimizers on one variable."""

import functools

import keras
import numpy as np
import tensorflow as tf

RATE = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.9, staircase=True)
START = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)


def after_steps(optimizer):
    """A variable that begins at `START` and the optimizer's own variables, after seven compiled steps."""
    variable = keras.Variable(START)
    optimizer.build([variable])
    step = tf.function(functools.partial(_apply, optimizer, variable))
    generator = np.random.default_rng(1)
    for _ in range(7):
        step(tf.constant(generator.standard_normal((5, 3)), tf.float32))
    return [np.asarray(v) for v in (variable, *optimizer.variables)]


def assert_same_steps(one, other):
    """Asserts that two optimizers do the same steps, and do some."""
    ours, theirs = after_steps(one), after_steps(other)
    assert abs(ours[0] - START).max() > 0.1
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


def _apply(optimizer, variable, gradient):
    optimizer.apply([gradient], [variable])
