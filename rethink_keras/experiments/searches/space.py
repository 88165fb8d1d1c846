"""What a search varies: gin parameters, each with the values that it may have."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import gin
import keras_tuner

from rethink_keras import config as configuration
from rethink_keras.errors import UserError
from rethink_keras.validation import check_number

DIGITS = 4  # significant digits of drawn numbers, so that they can be read and typed


def _field(example: str) -> Any:
    return dataclasses.field(default_factory=dict, metadata={"example": example})


@gin.configurable("space")
@dataclasses.dataclass(frozen=True)
class Space:
    """What `space.*` binds: the parameters that a search varies, such as 'train.learning_rate', and their values.

    A parameter of a function that is itself a choice, such as 'sgd.momentum' beside
    `{'train.optimizer': [@sgd, @adam]}`, varies only where that function is chosen.

    Attributes:
        choice: Values to choose from, of any type that the parameter takes.
        uniform: Smallest and largest number.
        log_uniform: Smallest and largest number, both above 0; each order of magnitude is equally likely.
        integer: Smallest and largest whole number.
    """

    choice: Mapping[str, Sequence[Any]] = _field("{'train.batch_size': [32, 64, 128]}")
    uniform: Mapping[str, Sequence[float]] = _field("{'sgd.momentum': (0.5, 0.99)}")
    log_uniform: Mapping[str, Sequence[float]] = _field("{'train.learning_rate': (1e-4, 0.1)}")
    integer: Mapping[str, Sequence[int]] = _field("{'train.epochs': (10, 40)}")

    def __post_init__(self):
        kinds = [field.name for field in dataclasses.fields(self)]
        names = [name for kind in kinds for name in getattr(self, kind)]
        if not names:
            raise UserError(
                "The search varies nothing. Bind space.log_uniform = {'train.learning_rate': (1e-4, 0.1)}, for "
                "example."
            )
        for name in names:
            if names.count(name) > 1:
                raise UserError(f"{name} is in the space twice. Take it out of one of {', '.join(kinds)}.")
            if name.count(".") != 1:
                owner = next(iter(configuration.owners(name)), "")
                shown = f"{owner}.{name}" if owner else "mlp.hidden"
                raise UserError(f"The space names {name!r}. Write function.parameter, such as {shown!r}.")
        for name, values in self.choice.items():
            if isinstance(values, str) or not values or len(set(map(_text, values))) < len(values):
                raise UserError(
                    f"space.choice of {name} is {values!r}. Give a list of values that differ, one or more."
                )
        for kind in kinds[1:]:
            for name, bounds in getattr(self, kind).items():
                _check_bounds(kind, name, bounds)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Yields the name of each parameter, and its values in words."""
        for name, values in self.choice.items():
            yield name, " | ".join(map(_text, values))
        for name, (least, most) in self._ranges.items():
            logarithmic = ", log-uniform" if name in self.log_uniform else ""
            yield name, f"{_text(least)} to {_text(most)}{logarithmic}"

    def corners(self) -> Iterator[str]:
        """Yields a binding for every choice, and for both bounds of every range."""
        for name, values in {**self.choice, **self._ranges}.items():
            yield from (f"{name} = {_text(value)}" for value in values)

    def hyperparameters(self) -> keras_tuner.HyperParameters:
        """Returns the space for Keras Tuner. Choices are gin texts there."""
        found = keras_tuner.HyperParameters()
        for name, values in sorted(self.choice.items(), key=lambda item: bool(self._parent(item[0]))):
            found.Choice(name, list(map(_text, values)), ordered=False, **self._parent(name))
        for name, (least, most) in self._ranges.items():
            add = found.Int if name in self.integer else found.Float
            sampling = "log" if name in self.log_uniform else "linear"
            add(name, least, most, sampling=sampling, **self._parent(name))
        return found

    def bindings(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Returns the bindings of a trial, as gin texts by parameter.

        Args:
            values: Values of the trial in Keras Tuner.
        """
        return {
            name: values[name] if name in self.choice else self._number(name, values[name])
            for name, _ in self
            if name in values
        }

    def check(self, values: Mapping[str, Any]) -> None:
        """Raises ValueError if values of a trial in Keras Tuner are not in this space."""
        for name, _ in self:
            if name in values and not self._contains(name, values[name]):
                raise ValueError(f"{name} is {ascii(values[name])[:80]}")

    def _contains(self, name: str, value: Any) -> bool:
        if name in self.choice:
            return value in map(_text, self.choice[name])
        kind = int if name in self.integer else (int, float)
        return isinstance(value, kind) and math.isfinite(value)

    @property
    def _ranges(self) -> dict[str, Sequence[Any]]:
        """The smallest and the largest number of each parameter that has a range."""
        return {**self.log_uniform, **self.uniform, **self.integer}

    def _number(self, name: str, value: float) -> str:
        if name in self.integer:
            return str(value)
        least, most = self._ranges[name]
        return repr(min(max(float(f"{value:.{DIGITS}g}"), least), most))

    def _parent(self, name: str) -> dict[str, Any]:
        """Returns on which choice a parameter of a function depends, as Keras Tuner's arguments; empty for none."""
        function = f"@{name.split('.')[0]}"
        for parent, values in self.choice.items():
            if function in map(_text, values):
                return {"parent_name": parent, "parent_values": [function]}
        return {}


def _text(value: object) -> str:
    """Returns a value as a gin file contains it."""
    return configuration.reference(value) if callable(value) else repr(value)


def _check_bounds(kind: str, name: str, bounds: Sequence[float]) -> None:
    if len(bounds) != 2 or any(isinstance(bound, bool) for bound in bounds) or not bounds[0] < bounds[1]:
        raise UserError(
            f"space.{kind} of {name} is {tuple(bounds)!r}. Give the smallest and the largest value, such as (1, 8)."
        )
    for bound in bounds:
        check_number(f"space.{kind} of {name}", bound, -1e300, 1e300)
    if kind == "log_uniform" and not bounds[0] > 0:
        raise UserError(f"space.log_uniform of {name} begins at {bounds[0]!r}. Let it begin above 0.")
