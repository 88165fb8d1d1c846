"""Checks of values that users bind. Each raises UserError with the parameter's name and what it can be."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from rethink_keras.errors import UserError


def check_choice(name: str, value: object, choices: Sequence[object]) -> None:
    """Raises UserError unless a value is one of the choices."""
    if value not in choices:
        raise UserError(f"{name} is {value!r}. Choose one of {', '.join(map(repr, choices))}.")


def check_int(name: str, value: object, least: int, most: int = 2**31 - 1) -> None:
    """Raises UserError unless a value is an int from `least` to `most`."""
    if not (_is_number(value) and isinstance(value, int) and least <= value <= most):
        raise UserError(f"{name} is {value!r}. Give a whole number from {least} to {most}.")


def check_number(name: str, value: object, least: float, most: float) -> None:
    """Raises UserError unless a value is a number from `least` to `most`."""
    if not (_is_number(value) and least <= value <= most):  # type: ignore[operator]
        raise UserError(f"{name} is {value!r}. Give a number between {least:g} and {most:g}.")


def check_positive_fraction(name: str, value: object) -> None:
    """Raises UserError unless a value is a number in (0, 1], such as a factor or an accuracy."""
    if not (_is_number(value) and 0 < value <= 1):  # type: ignore[operator]
        raise UserError(f"{name} is {value!r}. Give a number above 0 and at most 1.")


def check_fraction(name: str, value: object) -> None:
    """Raises UserError unless a value is a number in [0, 1), such as a rate or a momentum."""
    if not (_is_number(value) and 0 <= value < 1):  # type: ignore[operator]
        raise UserError(f"{name} is {value!r}. Give a number from 0 to below 1.")


def check_call(name: str, function: object, *args: object, **kwargs: object) -> None:
    """Raises UserError unless a function can be called with these arguments."""
    try:
        inspect.signature(function).bind(*args, **kwargs)  # type: ignore[arg-type]
    except TypeError as error:
        function_name = getattr(function, "__name__", function)
        raise UserError(
            f"{name} is {function_name}, which is of another kind. Bind one that the gin files use."
        ) from error


def check_seed(name: str, seed: object) -> None:
    """Raises UserError unless a seed is an int in [0, 2**32), the range that both Keras and Philox take."""
    check_int(name, seed, 0, 2**32 - 1)


def _is_number(value: object) -> bool:
    """Returns whether a value is an int or a float. A truth value is an int in Python, but is never meant as one."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)
