"""What the builders of all model families share: registration with gin, default regularization, input checks.

The *default regularization* is the explicit regularization a model is trained with on true labels when a
configuration says nothing of it. The paper speaks of each model's default weight decay and prints no
coefficient, so every family takes the one of the code its network comes from and says which that is.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any, Protocol, cast

import gin
import keras

from rethink_keras.errors import UserError
from rethink_keras.validation import check_fraction

__all__ = ["GLOROT", "DefaultRegularization", "Family", "check_dropout", "check_shapes", "family", "glorot"]

GLOROT = {"glorot_uniform": "uniform", "glorot_normal": "untruncated_normal"}  # as Keras names distributions


@dataclasses.dataclass(frozen=True)
class DefaultRegularization:
    """The explicit regularization a family is usually trained with.

    Attributes:
      weight_decay: Coefficient of the coupled weight decay: the gradient of a decayed kernel w gains
        `weight_decay * w`.
      dropout: Fraction of the units dropped, for families that take a `dropout` argument.
      decayed_layers: Names of the layers whose kernels decay; None for all layers that have a kernel.
    """

    weight_decay: float
    dropout: float = 0.0
    decayed_layers: tuple[str, ...] | None = None


class Family(Protocol):
    """A model builder registered by `family`."""

    default_regularization: DefaultRegularization
    __name__: str

    def __call__(self, input_shape: tuple[int, int, int], num_classes: int, **options: Any) -> keras.Model:
        """Returns a new model that maps images to logits."""


def family(
    *, weight_decay: float, dropout: float = 0.0, decayed_layers: tuple[str, ...] | None = None
) -> Callable[[Callable[..., keras.Model]], Family]:
    """Registers a model builder with gin and records its default explicit regularization.

    DefaultRegularization is the explicit regularization used with true labels when a configuration says nothing.
    The paper does not print its coefficients.

    The builder's own options can be bound in gin under the builder's name. The shapes come from the
    data, and dropout is an explicit regularizer that a training run switches for all families alike, so
    gin cannot bind `input_shape`, `num_classes` or `dropout` here.

    Args:
      weight_decay: DefaultRegularization coefficient of the coupled weight decay.
      dropout: DefaultRegularization fraction of dropped units.
      decayed_layers: Names of the layers that decay by default; None for all layers with a kernel.

    Returns:
      A decorator. It returns the builder wrapped by gin, with the builder's name, signature and
      docstring and with an attribute `default_regularization`.

    Raises:
      TypeError: A default dropout is given for a builder without a `dropout` argument.
    """
    default = DefaultRegularization(weight_decay=weight_decay, dropout=dropout, decayed_layers=decayed_layers)

    def register(build: Callable[..., keras.Model]) -> Family:
        takes_dropout = "dropout" in inspect.signature(build).parameters
        if dropout and not takes_dropout:
            raise TypeError(f"{build.__name__} has a default dropout and takes no argument `dropout`")
        cast(Any, build).default_regularization = default
        fixed = ["input_shape", "num_classes"] + (["dropout"] if takes_dropout else [])
        # gin's wrapper is made with functools.wraps, which keeps the attribute and the signature.
        return cast(Family, gin.configurable(build, denylist=fixed))

    return register


def check_shapes(
    name: str, input_shape: tuple[int, int, int], num_classes: int, *, smallest_side: int = 1
) -> None:
    """Checks that a family can be built for images of this shape and this number of classes.

    Args:
      name: The family's name, for the message.
      input_shape: Shape of one image, `[height, width, channels]`.
      num_classes: Number of logits.
      smallest_side: The least height and width the family works for, in pixels.

    Raises:
      UserError: The shape is not three positive integers, a side is too small, or there is no class.
    """
    shape = tuple(input_shape)
    if len(shape) != 3 or not all(isinstance(side, int) and side > 0 for side in shape):
        raise UserError(
            f"{name} needs images of a fixed height, width and number of channels, not of shape {shape}. "
            "Give three positive integers, for example (28, 28, 3)."
        )
    height, width, _ = shape
    if min(height, width) < smallest_side:
        raise UserError(
            f"{name} needs images of at least {smallest_side}x{smallest_side} pixels and was given "
            f"{height}x{width}. Use larger images or another model."
        )
    if num_classes < 1:
        raise UserError(f"{name} needs at least one class and was given num_classes = {num_classes}.")


def glorot(name: str, gain: float = 1.0) -> keras.initializers.Initializer:
    """Returns an initializer of variance `gain ** 2 * 2 / (inputs + outputs)` (Glorot and Bengio 2010).

    Args:
      name: One of `GLOROT`. Keras's own `glorot_normal` is truncated; this one is not.
      gain: Factor on the initial weights.
    """
    return keras.initializers.VarianceScaling(gain**2, mode="fan_avg", distribution=GLOROT[name])


def check_dropout(dropout: float) -> None:
    """Checks that a dropout rate is a fraction.

    Args:
      dropout: The fraction of the units to drop.

    Raises:
      UserError: It is not at least 0 and less than 1.
    """
    check_fraction("dropout", dropout)
