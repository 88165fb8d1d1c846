"""Functions and classes that gin binds: their parameters, their defaults and their names in gin files."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

from rethink_keras.config import gin_private
from rethink_keras.errors import UserError


def parameters(configurable: Callable) -> list[str]:
    """Returns the names of a function's parameters, also of a function that gin wraps."""
    return list(inspect.signature(configurable).parameters)


def default(configurable: Callable, parameter: str) -> Any:
    """Returns the default value of a function's parameter."""
    return inspect.signature(configurable).parameters[parameter].default


def reference(function: Callable) -> str:
    """Returns a function as a gin file writes it, such as '@sgd'.

    Raises:
        UserError: Gin does not know the function by its name alone.
    """
    name = getattr(function, "__name__", str(function))
    found = gin_private.find(name)
    if found is None or function not in (found.wrapper, found.wrapped):
        raise UserError(f"{name} is no function that gin knows by that name. Write @name, without a scope.")
    return f"@{name}"


def short_name(selector: str) -> str:
    """Returns a configurable's name without its module."""
    return gin_private.minimal_selector(selector).rsplit(".", 1)[-1]


def known_names() -> list[str]:
    """Returns the names of this package's configurables and of those without a module."""
    return [short_name(s) for s in gin_private.selectors() if s.startswith("rethink_keras") or "." not in s]


def known_parameters(name: str) -> list[str]:
    """Returns the parameters of a configurable that a gin file can bind."""
    found = gin_private.find(name)
    if found is None:
        return []
    return [p for p in parameters(found.wrapped) if p not in (found.denylist or ())]


def owners(parameter: str) -> list[str]:
    """Returns the names of the configurables that have a parameter of this name, in order."""
    return sorted(name for name in known_names() if parameter in known_parameters(name))


def example(name: str, parameter: str) -> str:
    """Returns an example of a parameter's value as a gin file contains it.

    Args:
        name: Name of a configurable. The fields of a dataclass have such an example as `metadata={"example": ...}`.
        parameter: Name of its parameter.

    Returns:
        The example; '' if there is none.
    """
    found = gin_private.find(name)
    fields = dataclasses.fields(found.wrapped) if found and dataclasses.is_dataclass(found.wrapped) else ()
    return next((f.metadata.get("example", "") for f in fields if f.name == parameter), "")
