"""Compares configurations as config.gin contains them."""

from __future__ import annotations

import difflib
from collections.abc import Collection

from rethink_keras.system.text import printable


def bindings_of(text: str) -> dict[str, str]:
    """Returns the values of a configuration by parameter, as text on one line, without the line breaks of long values.

    Gin indents the lines that continue a value. An import is a name without a value.
    """
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if name and line.startswith((" ", "\t")):
            value = line
        else:
            name, _, value = line.partition("=")
            name = name.strip()
            found[name] = ""
        found[name] = f"{found[name]} {value.strip().removesuffix(chr(92)).strip()}".strip()
    return found


def difference(there: str, requested: str, defaults: Collection[str] = ()) -> str:
    """Returns the lines of a diff from the workdir's configuration to the requested one; empty if they are the same.

    Args:
        there: The text of the workdir's config.gin, which an earlier version may have written.
        requested: The text of the present configuration.
        defaults: The parameters of `requested` that are not bound and have their default. One that the workdir's
            configuration does not have was added to the code later, and is not a difference.
    """
    before, after = bindings_of(there), bindings_of(requested)
    after = {name: value for name, value in after.items() if name in before or name not in defaults}
    if before == after:
        return ""
    lines = difflib.unified_diff(
        _sorted_lines(before), _sorted_lines(after), "in the workdir", "requested", lineterm="", n=0
    )
    return "\n".join(lines)


def _sorted_lines(bindings: dict[str, str]) -> list[str]:
    return [printable(f"{name} = {value}" if value else name) for name, value in sorted(bindings.items())]
