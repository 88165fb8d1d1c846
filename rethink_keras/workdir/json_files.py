"""Reads JSON files whose numbers are finite and whose nesting is limited."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rethink_keras.errors import DamagedError
from rethink_keras.system.text import printable
from rethink_keras.workdir.kinds import MOST_NUMBER
from rethink_keras.workdir.text_files import read_text, shown

MOST_DEPTH = 20


def read_json(path: Path) -> Any:
    """Returns the value of a JSON file.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: The file cannot be read, which says nothing about its content.
        DamagedError: It is not JSON, nested deeply, or contains a number that is not finite.
    """
    text = read_text(path)
    try:
        value = json.loads(text)
    except ValueError as error:
        raise DamagedError(f"{shown(path)} is no JSON") from error
    except RecursionError as error:
        raise DamagedError(f"{shown(path)} is nested too deeply") from error
    if why := _trouble(value):
        raise DamagedError(f"{shown(path)} {why}")
    return value


def printable_json(value: Any) -> Any:
    """Returns a JSON value with every character that a terminal would act on as an escape, in names and texts."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return [printable_json(item) for item in value]
    if isinstance(value, dict):
        return {printable(name): printable_json(item) for name, item in value.items()}
    return value


def _trouble(value: Any, depth: int = 0) -> str:
    if depth > MOST_DEPTH:
        return "is nested too deeply"
    if isinstance(value, (list, dict)):
        items = value.values() if isinstance(value, dict) else value
        return next(filter(None, (_trouble(item, depth + 1) for item in items)), "")
    if isinstance(value, (int, float)) and not abs(value) <= MOST_NUMBER:
        return "contains a number that is not finite or too large"
    return ""
