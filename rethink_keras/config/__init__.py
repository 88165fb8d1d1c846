"""Configuration by gin, strict: an unknown or misspelt name is an error that suggests the nearest known one."""

from __future__ import annotations

import contextlib
import copy
import difflib
import hashlib
import inspect
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gin

from rethink_keras.config import binding_types, gin_text
from rethink_keras.errors import UserError
from rethink_keras.system.text import label


def parse(
    gin_files: Sequence[str | Path], bindings: Sequence[str] = (), *, allow_imports: bool = False
) -> None:
    """Replaces the present configuration: the files in order, then the bindings; then it is final.

    Args:
        gin_files: in order; a later one wins.
        bindings: such as 'train.epochs = 3', after the files.
        allow_imports: whether files and bindings may import modules from outside of this package, which runs their
            code; and whether they may use gin's dynamic registration, which can call any function.

    Raises:
        UserError: for a file that cannot be read, for any name or value gin does not understand, and for an import
            that is not allowed.
    """
    gin.clear_config()
    with _checked_files(allow_imports):
        for file in gin_files:
            _parse_file(Path(file))
        for binding in bindings:
            _parse_binding(binding, allow_imports)
    _check_macros()
    _explained(gin.finalize, "The configuration")
    for (_, selector), parameters_bound in gin.config._CONFIG.items():
        for parameter, value in parameters_bound.items():
            binding_types.check(selector, parameter, value)


@contextlib.contextmanager
def parsed(
    gin_files: Sequence[str | Path], bindings: Sequence[str] = (), *, allow_imports: bool = False
) -> Iterator[None]:
    """Parses a configuration as `parse` does, and restores the earlier one when the context ends."""
    with _LOCK:
        names = ("_CONFIG", "_OPERATIVE_CONFIG", "_SINGLETONS", "_CONFIG_PROVENANCE")
        before = {name: copy.copy(getattr(gin.config, name)) for name in names if hasattr(gin.config, name)}
        try:
            parse(gin_files, bindings, allow_imports=allow_imports)
            yield
        finally:
            gin.clear_config()
            for name, value in before.items():
                getattr(gin.config, name).update(value)


_LOCK = threading.RLock()


def clear() -> None:
    """Forgets the configuration: gin-bound classes would take its values wherever they are constructed later."""
    gin.clear_config()


def operative() -> str:
    """The configuration that the run used, defaults included: enough to run again."""
    return gin.operative_config_str()


def resolved() -> str:
    """The configuration as parsed, before anything used it."""
    return gin.config_str()


def fingerprint() -> str:
    """SHA-256 (hex) of the configuration as parsed."""
    return hashlib.sha256(resolved().encode("utf-8", "backslashreplace")).hexdigest()


def unused() -> list[str]:
    """Names that are bound but that nothing called so far has used."""
    operative_config = gin.config._OPERATIVE_CONFIG
    left = []
    for (scope, selector), parameters in gin.config._CONFIG.items():
        if selector == "gin.macro":
            continue
        used = operative_config.get((scope, selector), {})
        left += [f"{_short(selector)}.{p}" for p in parameters if p not in used]
    return left


def operative_values(always: Iterable[str] = (), never: Iterable[str] = ()) -> dict[str, Any]:
    """What the run used of what is bound, such as `{"train.epochs": 3, "train.model": "mlp"}`.

    Args:
        always: parameters that are told when they are not bound, too, such as 'train.epochs'.
        never: parameters and whole configurables that are not told.

    Returns:
        Numbers, words and truth values as they are, functions by their names, the rest as text; None is left out.
    """
    told = {}
    for (scope, selector), used in gin.config._OPERATIVE_CONFIG.items():
        bindings = gin.config._CONFIG.get((scope, selector), {})
        prefix = f"{scope}/" if scope else ""
        for parameter, value in used.items():
            name = f"{_short(selector)}.{parameter}"
            asked = (parameter in bindings or name in always) and selector != "gin.macro"
            if asked and value is not None and not {name, _short(selector)} & set(never):
                told[prefix + name] = _told(value)
    return told


def parameters(configurable: Callable) -> list[str]:
    """Names of the parameters of a function, also of one that gin wraps."""
    return list(inspect.signature(configurable).parameters)


def bound(name: str, otherwise: Any) -> Any:
    """The value bound to a name such as 'train.seed', else `otherwise`."""
    try:
        return binding_types.settled(gin.query_parameter(name))
    except ValueError:
        return otherwise


def default(configurable: Callable, parameter: str) -> Any:
    """The default value of a parameter of a function."""
    return inspect.signature(configurable).parameters[parameter].default


def _told(value: Any) -> bool | int | float | str:
    value = binding_types.settled(value)
    if isinstance(value, gin.config.ConfigurableReference):
        return value.selector.rsplit(".", 1)[-1]
    return value if isinstance(value, (bool, int, float, str)) else repr(value)


def reference(function: Callable) -> str:
    """A function as a gin file writes it, such as '@sgd'.

    Raises:
        UserError: if gin does not know it by its name alone.
    """
    name = getattr(function, "__name__", str(function))
    found = gin.config._REGISTRY.get_match(name)
    if found is None or function not in (found.wrapper, found.wrapped):
        raise UserError(f"{name} is no function that gin knows by that name. Write @name, without a scope.")
    return f"@{name}"


@contextlib.contextmanager
def _checked_files(allow_imports: bool) -> Iterator[None]:
    """Has gin read no file that is not checked, the included ones too, as long as the context lasts."""
    readers = gin.config._FILE_READERS
    before = readers[:]
    readers[:] = [(gin_text.Reader(allow_imports).open, os.path.isfile)]
    try:
        yield
    finally:
        readers[:] = before


def _parse_binding(binding: str, allow_imports: bool) -> None:
    where = f"--gin_param='{label(binding, 100)}'"

    def parse_it() -> None:
        gin_text.check(binding, where, allow_imports)
        gin.parse_config(binding)

    _explained(parse_it, where)


def _parse_file(path: Path) -> None:
    try:
        is_file = path.is_file()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"{str(path)[:80]} is no path of a gin file ({why}). Check --gin_file.") from error
    if not is_file:
        near = difflib.get_close_matches(path.name, [p.name for p in path.parent.glob("*.gin")], 1, 0.5)
        hint = f" Did you mean {path.parent / near[0]}?" if near else " Check the path given to --gin_file."
        raise UserError(f"There is no gin file {path}.{hint}")
    # An include is looked up beside the file that is given. Gin only ever adds to this list, and would look
    # in the folders of earlier files first.
    gin.config._LOCATION_PREFIXES[:] = [str(path.resolve().parent)]
    _explained(lambda: gin.parse_config_file(str(path.resolve())), str(path))


def _explained(parse_it: Callable[[], Any], where: str) -> None:
    """Runs gin's parser and tells its complaints in plain words."""
    try:
        parse_it()
    except UserError:
        raise
    except RecursionError as error:
        raise UserError(
            f"{where} is nested too deeply. Use fewer brackets, and files that include fewer others."
        ) from error
    except UnicodeDecodeError as error:
        raise UserError(f"{where} is not a text file. Check --gin_file.") from error
    except SyntaxError as error:
        line = f", line {error.lineno}" if error.lineno else ""
        raise UserError(
            f"{where}{line} is not understood. Write name = value, strings in quotes, functions as @name."
        ) from error
    except Exception as error:  # gin and Python's tokenizer raise many kinds; all mean the text is wrong
        raise UserError(f"{where}: {_plain(error)}") from error


def _plain(error: Exception) -> str:
    message = str(error)
    if found := re.search(r"No configurable matching (?:reference )?'@?([^'(]+)[^']*'", message):
        return f"there is no {found[1]!r}.{_suggest(found[1], _configurables())}"
    known = re.search(r"'([^']+)' (?:doesn't have a parameter named|has denylisted kwarg) '([^']+)'", message)
    if known:
        name, parameter = known[1].rsplit(".", 1)[-1], known[2]
        return f"{name} has no parameter {parameter!r} to bind.{_suggest(parameter, _parameters_of(name))}"
    if found := re.search(r"No bindings specified for '([^/']+)", message):
        return f"{found[1]} is referred to, but not set. Add a line {found[1]} = ..."
    if found := re.search(r"Unable to open file: ([^.\s]+\S*?)\. ", message):
        return f"the included file {found[1]} is not there. Correct the include line."
    return message.strip().splitlines()[0] if message.strip() else type(error).__name__


def _suggest(word: str, known: Iterable[str]) -> str:
    known = sorted(known)
    near = difflib.get_close_matches(word, known, 1, 0.5)
    return f" Did you mean {near[0]!r}?" if near else f" Known are: {', '.join(known)}."


def _configurables() -> list[str]:
    registry = gin.config._REGISTRY
    return [_short(s) for s in registry._selector_map if s.startswith("rethink_keras") or "." not in s]


def _parameters_of(name: str) -> list[str]:
    found = gin.config._REGISTRY.get_match(name)
    if found is None:
        return []
    return [p for p in parameters(found.wrapped) if p not in (found.denylist or ())]


def _short(selector: str) -> str:
    return gin.config._REGISTRY.minimal_selector(selector).rsplit(".", 1)[-1]


def _check_macros() -> None:
    """Refuses a macro that nothing refers to: gin takes a misspelt one without a word."""
    macros = {scope for scope, selector in gin.config._CONFIG if selector == "gin.macro"}
    text = gin.config_str()
    for macro in macros:
        if not re.search(rf"%{re.escape(macro)}\b", text):
            names = [*_configurables(), *macros - {macro}]
            raise UserError(f"{macro} is set, but nothing refers to it.{_suggest(macro, names)}")
