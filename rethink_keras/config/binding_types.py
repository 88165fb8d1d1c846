"""Checks bound values against the type annotations of the parameters."""

from __future__ import annotations

import inspect
import types
import typing
from typing import Any

import typeguard

from rethink_keras.config import gin_private
from rethink_keras.config.configurables import example
from rethink_keras.config.gin_private import is_protocol
from rethink_keras.errors import UserError
from rethink_keras.system.text import shortened


def check(selector: str, parameter: str, value: object) -> None:
    """Raises UserError unless a bound value fits the type annotation of its parameter.

    Args:
        selector: Full selector of the configurable.
        parameter: Name of its parameter.
        value: The bound value. A macro stands for its value, a reference for a function.
    """
    hint = _hint(selector, parameter)
    if hint is None:
        return
    value = resolve_macro(value)
    name = f"{selector.rsplit('.', 1)[-1]}.{parameter}"
    if isinstance(value, gin_private.Reference):
        bases = _bases(hint)
        wants_reference = bases or any(is_protocol(kind) for kind in _alternatives(hint))
        fits = not bases or _derives(gin_private.find(value.selector).wrapped, bases)
        if value.evaluate or not wants_reference or not fits:
            how = "Leave the brackets out" if wants_reference and fits else f"It takes {_words(hint)}"
            raise UserError(f"{name} is {value!r}, which does not fit. {how}.")
        return
    if _makes_each(value, hint):
        return
    # A truth value is an int in Python, but is never meant as a number.
    fits = not isinstance(value, bool) or bool in _alternatives(hint)
    try:
        typeguard.check_type(
            value, hint, collection_check_strategy=typeguard.CollectionCheckStrategy.ALL_ITEMS
        )
    except typeguard.TypeCheckError:
        fits = False
    if not fits:
        shown = example(selector, parameter)
        form = f"Write {name} = {shown}, for example" if shown else f"It takes {_words(hint)}"
        raise UserError(f"{name} is {shortened(value)}, which does not fit. {form}.")


def _hint(selector: str, parameter: str) -> Any:
    wrapped = gin_private.find(selector).wrapped
    if not wrapped.__module__.startswith("rethink_keras"):
        return None
    # Gin wraps the `__init__` of a class, and the annotations of a dataclass are on the class itself.
    target = wrapped if inspect.isclass(wrapped) else inspect.unwrap(wrapped)
    return typing.get_type_hints(target).get(parameter)


def resolve_macro(value: object) -> object:
    """Returns a macro's value, also of a macro that refers to another, and any other value unchanged."""
    for _ in range(10):
        if not isinstance(value, gin_private.Reference) or value.selector != gin_private.MACRO:
            return value
        value = gin_private.bindings().get(value.config_key, {}).get("value", value)
    return value


def _makes_each(value: object, hint: Any) -> bool:
    """Returns whether a list of calls, such as `[@a/group(), @b/group()]`, makes objects of the annotated type."""
    if not isinstance(value, (list, tuple)) or not value or len(typing.get_args(hint)) != 1:
        return False
    (wanted,) = typing.get_args(hint)
    return inspect.isclass(wanted) and all(
        isinstance(item, gin_private.Reference)
        and item.evaluate
        and (made := gin_private.find(item.selector).wrapped).__qualname__ == wanted.__qualname__
        and made.__module__ == wanted.__module__
        for item in value
    )


def _alternatives(hint: Any) -> tuple[Any, ...]:
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if union else (hint,)


def _bases(hint: Any) -> tuple[type, ...]:
    """Returns the base classes of a parameter that takes a class, such as `type[Kernel]`; else none."""
    return tuple(typing.get_args(kind)[0] for kind in _alternatives(hint) if typing.get_origin(kind) is type)


def _example(bases: tuple[type, ...]) -> str:
    """Returns a name in gin of a subclass."""
    known = (name for name in gin_private.selectors() if _derives(gin_private.find(name).wrapped, bases))
    return f"@{gin_private.minimal_selector(next(known))}"


def _derives(value: object, bases: tuple[type, ...]) -> bool:
    return inspect.isclass(value) and issubclass(value, bases)


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
        elif is_protocol(kind):
            words.append("a function, such as @name")
        elif bases := _bases(kind):
            words.append(f"the name of a {bases[0].__name__}, such as {_example(bases)}")
        else:
            words.append(names.get(kind, str(kind)))
    return " or ".join(words)
