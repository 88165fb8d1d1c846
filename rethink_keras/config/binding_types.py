"""Checks what gin binds against the types that the parameters are annotated with."""

from __future__ import annotations

import inspect
import types
import typing
from typing import Any

import gin
import typeguard

from rethink_keras.errors import UserError
from rethink_keras.system.text import shortened

_Reference = gin.config.ConfigurableReference


def check(selector: str, parameter: str, value: object) -> None:
    """Raises UserError unless `value` fits the annotation of a configurable's parameter.

    Args:
        selector: full name of the configurable, as gin keeps it.
        parameter: its parameter.
        value: what is bound; a macro stands for its value, a reference for a function.
    """
    hint = _hint(selector, parameter)
    if hint is None:
        return
    value = settled(value)
    name = f"{selector.rsplit('.', 1)[-1]}.{parameter}"
    wants_function = any(getattr(kind, "_is_protocol", False) for kind in _alternatives(hint))
    if isinstance(value, _Reference):
        if value.evaluate or not wants_function:
            how = "Leave the brackets out" if wants_function else f"It takes {_words(hint)}"
            raise UserError(f"{name} is {value!r}, which does not fit. {how}.")
        return
    if _makes_each(value, hint):
        return
    # Truth values are ints to Python, and never meant as numbers.
    fits = not isinstance(value, bool) or bool in _alternatives(hint)
    try:
        typeguard.check_type(
            value, hint, collection_check_strategy=typeguard.CollectionCheckStrategy.ALL_ITEMS
        )
    except typeguard.TypeCheckError:
        fits = False
    if not fits:
        raise UserError(f"{name} is {shortened(value)}, which does not fit. It takes {_words(hint)}.")


def _hint(selector: str, parameter: str) -> Any:
    wrapped = gin.config._REGISTRY[selector].wrapped
    if not wrapped.__module__.startswith("rethink_keras"):
        return None
    # Gin's decorator rebuilds classes; their own annotations are what counts.
    target = wrapped if inspect.isclass(wrapped) else inspect.unwrap(wrapped)
    return typing.get_type_hints(target).get(parameter)


def settled(value: object) -> object:
    """A macro's value, also of a macro that stands for another."""
    for _ in range(10):
        if not isinstance(value, _Reference) or value.selector != "gin.macro":
            return value
        value = gin.config._CONFIG.get(value.config_key, {}).get("value", value)
    return value


def _makes_each(value: object, hint: Any) -> bool:
    """Whether a list of references with brackets, such as `[@a/group(), @b/group()]`, makes what is asked for."""
    if not isinstance(value, (list, tuple)) or not value or len(typing.get_args(hint)) != 1:
        return False
    (wanted,) = typing.get_args(hint)
    return inspect.isclass(wanted) and all(
        isinstance(item, _Reference)
        and item.evaluate
        and (made := gin.config._REGISTRY.get_match(item.selector).wrapped).__qualname__
        == wanted.__qualname__
        and made.__module__ == wanted.__module__
        for item in value
    )


def _alternatives(hint: Any) -> tuple[Any, ...]:
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if union else (hint,)


def _words(hint: Any) -> str:
    names = {
        int: "a whole number",
        float: "a number",
        bool: "True or False",
        str: "a word in quotes",
        type(None): "None",
    }
    words = []
    for kind in _alternatives(hint):
        if typing.get_origin(kind) is tuple:
            words.append("numbers in brackets, such as (1, 2)")
        elif getattr(kind, "_is_protocol", False):
            words.append("a function, such as @name")
        else:
            words.append(names.get(kind, str(kind)))
    return " or ".join(words)
