"""Paths and commands as sweeps and searches store them, and as a user types them in the present folder."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path

from rethink_keras.system.installation import PROGRAM, config_folder, scripts_folder

ROOT = config_folder().parent
"""The folder that has gin/: the project's in a clone, else the package's."""


def stored_path(path: str | Path) -> str:
    """Returns a path as `sweep.json` stores it: relative to `ROOT` if it lies there, else absolute."""
    absolute = Path(path).resolve()
    return str(absolute.relative_to(ROOT) if absolute.is_relative_to(ROOT) else absolute)


def typed_path(path: Path) -> Path:
    """Returns a path as a user types it.

    In a clone, it is relative if the project's folder is the present one, else absolute. Of an installed package, gin
    files have their names, and other paths are absolute.
    """
    if not scripts_folder() and path.is_relative_to(config_folder()):
        name = path.relative_to(config_folder())
        return path if name.exists() else name  # a file of the present folder comes before one of the package
    if Path.cwd() != ROOT:
        return path.absolute()
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def typed_command(program: str, *flags: str) -> str:
    """Returns a command as a user types it in the present folder, quoted for the shell.

    Args:
        program: Its name, such as 'train'.
        *flags: Its flags.
    """
    scripts = scripts_folder()
    words = [str(typed_path(scripts / program))] if scripts else [PROGRAM, program]
    return " ".join(map(_quoted, (*words, *flags)))


def configuration_flags(
    gin_files: Iterable[str], bindings: Iterable[str], written: Callable[[Path], Path] = typed_path
) -> list[str]:
    """Returns the flags that give a command its configuration.

    Args:
        gin_files: Paths as `stored_path` returns them.
        bindings: Gin bindings.
        written: How paths are written.
    """
    files = [f"--gin_file={written(ROOT / file)}" for file in gin_files]
    return [*files, *(f"--gin_param={binding}" for binding in bindings)]


def _quoted(word: str) -> str:
    """Quotes the value of a flag; one that contains single quotes gets double quotes where the shell permits it."""
    flag, _, value = word.partition("=")
    if not value or shlex.quote(flag) != flag:
        return shlex.quote(word)
    in_double_quotes = "'" in value and not re.search(r'["$`\\!]', value)
    return f'{flag}="{value}"' if in_double_quotes else f"{flag}={shlex.quote(value)}"
