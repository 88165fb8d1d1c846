"""The values of the configuration, as parsed and as used."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import gin

from rethink_keras.config import binding_types, gin_private
from rethink_keras.config.configurables import short_name


def resolved() -> str:
    """Returns the configuration as parsed, as the text of a gin file."""
    return gin.config_str()


def fingerprint() -> str:
    """Returns the SHA-256 (hex) of the configuration as parsed."""
    return hashlib.sha256(resolved().encode("utf-8", "backslashreplace")).hexdigest()


def operative() -> str:
    """Returns the configuration that was used, defaults included, as the text of a gin file: enough to run again."""
    return gin.operative_config_str()


def bound(name: str, otherwise: Any) -> Any:
    """Returns the value bound to a name such as 'train.seed', or `otherwise`."""
    try:
        return binding_types.resolve_macro(gin.query_parameter(name))
    except ValueError:
        return otherwise


def unused() -> list[str]:
    """Returns the bound names that no call has used so far."""
    operative_values = gin_private.operative()
    return [
        f"{short_name(selector)}.{parameter}"
        for (scope, selector), values in gin_private.bindings().items()
        if selector != gin_private.MACRO
        for parameter in values
        if parameter not in operative_values.get((scope, selector), {})
    ]


def defaults() -> set[str]:
    """Returns the names that the operative configuration has with their defaults, such as 'confusion.every_epochs'.

    They are written as in the operative configuration's text. Another version of the code may have fewer or more of
    them without computing anything else.
    """
    return {
        _name(scope, gin_private.minimal_selector(selector), parameter)
        for (scope, selector), values in gin_private.operative().items()
        for parameter in values
        if not _is_bound(scope, selector, parameter)
    }


def operative_values(always: Iterable[str] = (), never: Iterable[str] = ()) -> dict[str, Any]:
    """Returns the bound values that were used, such as `{"train.epochs": 3, "train.model": "mlp"}`.

    Args:
        always: Parameters that are included when they have their defaults, too, such as 'train.epochs'.
        never: Parameters and whole configurables that are left out.

    Returns:
        Numbers, strings and truth values unchanged, functions by name, other values as text. None is left out.
    """
    included = {}
    for (scope, selector), values in gin_private.operative().items():
        bindings = gin_private.bindings().get((scope, selector), {})
        configurable = short_name(selector)
        if selector == gin_private.MACRO or configurable in never:
            continue
        for parameter, value in values.items():
            name = f"{configurable}.{parameter}"
            if value is not None and name not in never and (parameter in bindings or name in always):
                included[_name(scope, configurable, parameter)] = _plain_value(value)
    return included


def _is_bound(scope: str, selector: str, parameter: str) -> bool:
    """Returns whether a parameter is bound in a scope or in one around it."""
    scopes = scope.split("/")
    around = ["", *("/".join(scopes[: i + 1]) for i in range(len(scopes)))]
    return any(parameter in gin_private.bindings().get((outer, selector), {}) for outer in around)


def _name(scope: str, configurable: str, parameter: str) -> str:
    return f"{scope}/{configurable}.{parameter}" if scope else f"{configurable}.{parameter}"


def _plain_value(value: Any) -> bool | int | float | str:
    value = binding_types.resolve_macro(value)
    if isinstance(value, gin_private.Reference):
        return value.selector.rsplit(".", 1)[-1]
    return value if isinstance(value, (bool, int, float, str)) else repr(value)
