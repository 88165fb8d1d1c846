"""Escapes text from files and users for a terminal, a plot or Markdown."""

from __future__ import annotations

import re

# Markdown takes an underscore within a word, as in mlp_1x512, as it is.
_MARKDOWN = re.compile(r"([\\`*\[\]<>|~&]|(?<![^\W_])_|_(?![^\W_]))")


def printable(text: str, keep: str = "") -> str:
    r"""Returns the text with every character that a terminal cannot show, or would obey, as an escape such as '\x1b'.

    These are control and formatting characters (bidirectional overrides among them) and the surrogates that stand
    for bytes of a file name that is not UTF-8.

    Args:
        text: Any string.
        keep: Characters that stay as they are, such as a newline.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


def shortened(value: object, most: int = 100) -> str:
    """Returns the `repr` of a value on one line, cut to `most` characters."""
    try:
        return label(repr(value), most)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "a number of thousands of digits"


def label(text: str, most: int = 80) -> str:
    """Returns the text on one line, cut to `most` characters."""
    line = printable(text[: most + 1])
    return line if len(line) <= most else f"{line[: most - 1]}…"


def fence(text: str) -> str:
    """Returns the backticks, three or more, that fence the text in Markdown."""
    return "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))


def markdown(text: str) -> str:
    """Returns the text on one line, with the characters escaped that mean something in Markdown."""
    return _MARKDOWN.sub(r"\\\1", printable(text))
