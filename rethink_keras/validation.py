"""Checks of values that a user gives; each raises UserError with one plain sentence or two."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from rethink_keras.errors import UserError


def check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    """Raises UserError unless `value` is one of `choices`."""
    if value not in choices:
        raise UserError(f"{name} is {value!r}. Choose one of {', '.join(map(repr, choices))}.")


def check_int(name: str, value: object, least: int, most: int = 2**31 - 1) -> None:
    """Raises UserError unless `value` is an int from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise UserError(f"{name} is {value!r}. Give a whole number from {least} to {most}.")


def check_number(name: str, value: object, least: float, most: float) -> None:
    """Raises UserError unless `value` is a number from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise UserError(f"{name} is {value!r}. Give a number between {least:g} and {most:g}.")


def check_positive_fraction(name: str, value: object) -> None:
    """Raises UserError unless `value` is a number in (0, 1]: a factor, or an accuracy as a fraction."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1:
        raise UserError(f"{name} is {value!r}. Give a number above 0 and at most 1.")


def check_fraction(name: str, value: object) -> None:
    """Raises UserError unless `value` is a number in [0, 1): a rate, a momentum, a decay of averages."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
        raise UserError(f"{name} is {value!r}. Give a number from 0 to below 1.")


def check_call(name: str, function: object, *args: object, **kwargs: object) -> None:
    """Raises UserError unless `function` takes such arguments."""
    try:
        inspect.signature(function).bind(*args, **kwargs)  # type: ignore[arg-type]
    except TypeError as error:
        word = getattr(function, "__name__", function)
        raise UserError(
            f"{name} is {word}, which is of another kind. Take one that the gin files use."
        ) from error


def check_seed(name: str, seed: object) -> None:
    """Raises UserError unless `seed` is a whole number in [0, 2**32), what Keras and Philox both take."""
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
        raise UserError(f"{name} is {seed!r}. Give a whole number from 0 to {2**32 - 1}.")
