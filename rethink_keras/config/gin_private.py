"""What this project uses of gin beyond its public interface: no other module does.

Gin has one configuration for the whole process. Its public interface can neither list the bindings nor save and restore
them, and it adds folders to its search path without ever removing one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import IO, Any

import gin

Key = tuple[
    str, str
]  # scope, such as 'a/b' or '', and the selector with its module, such as 'training.config.train'
Reference = gin.config.ConfigurableReference  # `@name`, `@name()` or `%NAME` as a value
MACRO = "gin.macro"  # the selector of a macro, whose scope is its name
_DICTS_AND_SETS = ("_CONFIG", "_OPERATIVE_CONFIG", "_SINGLETONS", "_IMPORTS")


def bindings() -> Mapping[Key, Mapping[str, Any]]:
    """Returns the bound parameters and their values by scope and selector."""
    return gin.config._CONFIG


def operative() -> dict[Key, dict[str, Any]]:
    """Returns the parameters that calls took from the configuration or from their defaults."""
    with gin.config._OPERATIVE_CONFIG_LOCK:
        return {key: dict(values) for key, values in gin.config._OPERATIVE_CONFIG.items()}


def find(name: str) -> Any:
    """Returns gin's entry of a configurable, with `wrapped`, `wrapper` and `denylist`, or None."""
    return gin.config._REGISTRY.get_match(name)


def selectors() -> list[str]:
    """Returns the full selectors of all configurables."""
    return list(gin.config._REGISTRY._selector_map)


def minimal_selector(selector: str) -> str:
    """Returns the shortest selector that is unique, as gin writes it to a configuration's text."""
    return gin.config._REGISTRY.minimal_selector(selector)


def is_protocol(annotation: object) -> bool:
    """Returns whether a type annotation is a `typing.Protocol`: Python 3.11 has no public test."""
    return getattr(annotation, "_is_protocol", False)


@contextlib.contextmanager
def saved() -> Iterator[None]:
    """Restores the bindings, the operative values, the imports and the finalized state when the context ends.

    Modules that were imported meanwhile stay imported, and what they registered stays registered.
    """
    before = {name: getattr(gin.config, name).copy() for name in _DICTS_AND_SETS}
    for name in ("_CONFIG", "_OPERATIVE_CONFIG"):
        before[name] = {key: dict(values) for key, values in before[name].items()}
    locked = gin.config_is_locked()
    try:
        yield
    finally:
        for name, content in before.items():
            current = getattr(gin.config, name)
            current.clear()
            current.update(content)
        gin.config._set_config_is_locked(locked)


@contextlib.contextmanager
def files_read_by(open_file: Callable[[str], AbstractContextManager[IO[str]]]) -> Iterator[None]:
    """Makes gin find and open every file with a function, until the context ends.

    Args:
        open_file: Called with a file's name as the configuration has it, also with an included one's.
    """
    lists = gin.config._FILE_READERS, gin.config._LOCATION_PREFIXES
    before = [content[:] for content in lists]
    gin.config._FILE_READERS[:] = [(open_file, lambda name: True)]
    gin.config._LOCATION_PREFIXES[:] = [""]
    try:
        yield
    finally:
        for current, content in zip(lists, before, strict=True):
            current[:] = content
