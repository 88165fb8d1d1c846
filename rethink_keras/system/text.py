"""Text from files and users as data: escaped for a terminal, a plot, Markdown."""

from __future__ import annotations

import re

# An underscore within a word, as in mlp_1x512, is no mark of Markdown's.
_MARKDOWN = re.compile(r"([\\`*\[\]<>|~&]|(?<![^\W_])_|_(?![^\W_]))")


def printable(text: str, keep: str = "") -> str:
    r"""The text with every character that a terminal would act on, or could not show, as an escape such as '\x1b'.

    These are control and formatting characters (bidirectional overrides among them) and the surrogates that stand
    for bytes of a file name that is not UTF-8.

    Args:
        text: any string.
        keep: characters that stay as they are, such as a newline.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else c.encode("unicode_escape").decode() for c in text)


def shortened(value: object, most: int = 100) -> str:
    """What Python writes for a value, cut where it is longer than `most` characters."""
    try:
        return label(repr(value), most)
    except ValueError:  # Python writes no integer of more than 4,300 digits
        return "a number of thousands of digits"


def label(text: str, most: int = 80) -> str:
    """The text on one line, cut where it is longer than `most` characters."""
    line = printable(text[: most + 1])
    return line if len(line) <= most else f"{line[: most - 1]}…"


def fence(text: str) -> str:
    """As many backticks as can stand around the text in Markdown, three or more."""
    return "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))


def markdown(text: str) -> str:
    """The text on one line of Markdown, in which no character means anything but itself."""
    return _MARKDOWN.sub(r"\\\1", printable(text))
