"""Checks the text of gin files before gin acts on it: imports of foreign code, and values that no parameter takes."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gin import config_parser

from rethink_keras.config.gin_files import find_gin_file
from rethink_keras.errors import UserError

PACKAGE = "rethink_keras"
MOST_BYTES = 1_000_000  # of one file; ours have a few kilobytes
MOST_FILES = 1_000  # that one configuration includes
MOST_DEPTH = 50  # of brackets
MOST_INTEGER = 10**39  # longer ones cannot be written as text again


def check(text: str, where: str, allow_imports: bool) -> None:
    """Parses the text of a gin file without acting on it.

    Args:
        text: Text of a file or a binding.
        where: Its name in messages.
        allow_imports: Whether it may import from outside of this package.

    Raises:
        UserError: An import is not allowed, or no parameter could take a value.
        Exception: Gin's parser does not understand the text.
    """
    for statement in config_parser.ConfigParser(text, _Nothing()):
        if isinstance(statement, config_parser.ImportStatement) and not allow_imports:
            _check_import(statement, where)
        elif isinstance(statement, config_parser.BindingStatement):
            _check_value(statement.value, f"line {statement.location.line_num} of {where}")


class Reader:
    """Finds gin files, checks them and opens them for gin, the included ones too.

    An included file is looked up beside the file that includes it, then beside the file that was given, then in this
    package: what a file means must not depend on the present folder.

    Attributes:
        folders: Where files are looked up that no file includes.

    Args:
        allow_imports: Whether they may import from outside of this package.
    """

    def __init__(self, allow_imports: bool):
        self.folders = [Path()]
        self._allow_imports = allow_imports
        self._chain: list[Path] = []  # files being read, each included by the one before it
        self._count = 0

    @contextlib.contextmanager
    def open(self, name: str) -> Iterator[io.StringIO]:
        """Yields the text of a file, to be parsed within the context."""
        path = self._find(name)
        self._count += 1
        if path in self._chain:
            raise UserError(f"{path} includes itself. Remove one of the include lines.")
        if self._count > MOST_FILES:
            raise UserError(f"The gin files include more than {MOST_FILES} files. Remove include lines.")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise UserError(
                f"{path} has more than {MOST_BYTES:,} bytes: it is no gin file. Check --gin_file."
            )
        text = io.StringIO(content.decode())
        check(text.getvalue(), str(path), self._allow_imports)
        text.name = str(path)  # gin names it when a line is wrong
        self._chain.append(path)
        try:
            yield text
        finally:
            self._chain.pop()

    def _find(self, name: str) -> Path:
        if not self._chain:
            return find_gin_file(name, self.folders)
        folders = [self._chain[-1].parent, self._chain[0].parent]
        return find_gin_file(name, folders, named_by=f"the include line of {self._chain[-1]}")


class _Nothing(config_parser.ParserDelegate):
    """Accepts every reference and macro without looking it up."""

    def configurable_reference(self, scoped_configurable_name: str, evaluate: bool) -> None:
        """Returns None for a reference such as `@mlp`."""

    def macro(self, macro_name: str) -> None:
        """Returns None for a macro such as `%EPOCHS`."""


def _check_import(statement: config_parser.ImportStatement, where: str) -> None:
    if statement.module == PACKAGE or statement.module.startswith(f"{PACKAGE}."):
        return
    what = statement.module.removesuffix(".dynamic_registration") if statement.is_from else statement.module
    if what == "__gin__":
        what = "gin's dynamic registration"
    raise UserError(
        f"Line {statement.location.line_num} of {where} imports {what}, which runs code from outside of this project. "
        "Remove the line, or give --allow_imports if you trust every gin file that is named."
    )


def _check_value(value: Any, where: str, depth: int = 0) -> None:
    if depth > MOST_DEPTH:
        raise UserError(f"A value in {where} is nested too deeply. Use at most {MOST_DEPTH} brackets.")
    if isinstance(value, dict):
        for item in (*value, *value.values()):
            _check_value(item, where, depth + 1)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            _check_value(item, where, depth + 1)
    elif isinstance(value, int) and abs(value) > MOST_INTEGER:
        raise UserError(f"A number in {where} is too large. Give at most {MOST_INTEGER:.0e}.")
    elif isinstance(value, str) and not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise UserError(
                f"A text in {where} has half a character. Write the whole character, or remove it."
            ) from error
