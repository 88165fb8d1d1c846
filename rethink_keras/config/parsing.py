"""Parses gin files and bindings into the one configuration that a process has."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import gin

from rethink_keras.config import binding_types, gin_private, gin_text
from rethink_keras.config.configurables import known_names
from rethink_keras.config.gin_files import find_gin_file
from rethink_keras.config.messages import explained, misplaced, suggestion
from rethink_keras.errors import UserError
from rethink_keras.system.text import label

_LOCK = threading.RLock()  # a process has one configuration, and a search parses in several threads


def parse(
    gin_files: Sequence[str | Path], bindings: Sequence[str] = (), *, allow_imports: bool = False
) -> None:
    """Replaces the configuration by the files in order, then the bindings, and makes it final.

    Args:
        gin_files: Gin files, found as `find_gin_file` does. A later one overrides an earlier one.
        bindings: Such as 'train.epochs = 3'. They override the files.
        allow_imports: Whether files and bindings may import modules from outside of this package, which runs their
            code, and may use gin's dynamic registration, which can call any function.

    Raises:
        UserError: A file cannot be read, gin does not understand a name or a value, or an import is not allowed.
    """
    with _LOCK:
        gin.clear_config()
        reader = gin_text.Reader(allow_imports)
        with gin_private.files_read_by(reader.open):
            for file in gin_files:
                path = find_gin_file(file)
                with explained(str(path)):
                    gin.parse_config_file(str(path))
                reader.folders = [path.parent, Path()]  # for the include lines of bindings
            for binding in bindings:
                _parse_binding(binding, allow_imports)
        _check_macros()
        with explained("The configuration"):
            gin.finalize()
        for (_, selector), values in gin_private.bindings().items():
            for parameter, value in values.items():
                binding_types.check(selector, parameter, value)


@contextlib.contextmanager
def parsed(
    gin_files: Sequence[str | Path], bindings: Sequence[str] = (), *, allow_imports: bool = False
) -> Iterator[None]:
    """Parses a configuration as `parse` does, and restores the earlier one when the context ends.

    Other threads wait until then, so do no more in the context than reading values and constructing objects. Modules
    that the configuration imports stay imported.

    Args:
        gin_files: Gin files. A later one overrides an earlier one.
        bindings: Such as 'train.epochs = 3'. They override the files.
        allow_imports: As in `parse`.

    Raises:
        UserError: As in `parse`. The earlier configuration is restored then, too.
    """
    with _LOCK, gin_private.saved():
        parse(gin_files, bindings, allow_imports=allow_imports)
        yield


def clear() -> None:
    """Clears the configuration, so that no gin-bound object that is constructed later takes its values."""
    with _LOCK:
        gin.clear_config()


def _parse_binding(binding: str, allow_imports: bool) -> None:
    where = f"--gin_param='{label(binding, 100)}'"
    with explained(where):
        gin_text.check(binding, where, allow_imports)
        gin.parse_config(binding)


def _check_macros() -> None:
    """Raises UserError for a macro that nothing refers to, since gin accepts a misspelt one silently."""
    macros = {scope for scope, selector in gin_private.bindings() if selector == gin_private.MACRO}
    text = gin.config_str()
    for macro in macros:
        if not re.search(rf"%{re.escape(macro)}\b", text):
            names = [*known_names(), *macros - {macro}]
            raise UserError(
                f"{macro} is set, but nothing refers to it.{misplaced(macro) or suggestion(macro, names)}"
            )
