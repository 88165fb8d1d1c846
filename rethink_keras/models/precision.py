"""Keras's numeric precision, for the length of a block."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras


@contextlib.contextmanager
def dtype_policy(policy: str | keras.DTypePolicy) -> Iterator[None]:
    """Sets the policy of the layers and models that are built in the block, and restores the one before.

    Args:
      policy: Such as 'float32' or 'mixed_bfloat16'.
    """
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)
