"""What every optimizer builder has in common: registration with gin, and the check of its signature."""

from __future__ import annotations

import abc
import inspect
from collections.abc import Callable
from typing import Protocol

import gin
import keras

from rethink_keras.data.batches import Batches
from rethink_keras.training.schedules import Schedule

EPSILONS = 1e-30, 1e30  # above the smallest float32, so that nothing is divided by 0


class OptimizerBuilder(Protocol):
    """What `train.optimizer` is bound to; `optimizer` makes one."""

    __name__: str

    def __call__(self, learning_rate: Schedule) -> keras.optimizers.Optimizer:
        """Returns a new optimizer at the learning rate of a schedule."""


class DataDependent(abc.ABC):
    """An optimizer that must see the training images before its first step."""

    @abc.abstractmethod
    def adapt(self, network: keras.Model, batches: Batches) -> None:
        """Computes what the steps need of the training images. Called once, by the builder of the network.

        Args:
            network: Compiled with this optimizer, which is built.
            batches: Of the training split.
        """


def optimizer(build: Callable[..., keras.optimizers.Optimizer]) -> OptimizerBuilder:
    """Registers an optimizer's builder with gin under its name, for `train.optimizer`.

        @optimizer
        def sgd(learning_rate: Schedule, *, momentum: float = 0.9) -> keras.optimizers.Optimizer:
            return FusedSGD(learning_rate, momentum=momentum)

    Gin can bind the builder's options, but not its learning rate, which is `train.schedule`'s. Weight decay is not an
    optimizer's: see `models.weight_decay`.

    Raises:
        TypeError: The builder's one positional argument is not `learning_rate`, or an option has no default.
    """
    parameters = list(inspect.signature(build).parameters.values())
    if not parameters or parameters[0].name != "learning_rate":
        raise TypeError(f"The first argument of the optimizer {build.__name__} must be `learning_rate`.")
    for option in parameters[1:]:
        if option.kind is not option.KEYWORD_ONLY or option.default is option.empty:
            raise TypeError(f"{build.__name__}'s `{option.name}` must be keyword-only and have a default.")
    return gin.configurable(build, denylist=["learning_rate"])
