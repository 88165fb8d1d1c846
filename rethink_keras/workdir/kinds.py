"""The kinds of values in the files of a run, as Python has them once they are read."""

from __future__ import annotations

MOST_INTEGER = 2**53
MOST_NUMBER = 1e39  # The largest float32 is smaller.


def is_text(value: object) -> bool:
    """Returns whether a value is a text."""
    return isinstance(value, str)


def is_count(value: object) -> bool:
    """Returns whether a value is an integer that is not negative."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_INTEGER


def is_number(value: object) -> bool:
    """Returns whether a value is a finite number."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= MOST_NUMBER


def is_share(value: object) -> bool:
    """Returns whether a value is a number from 0 to 1, up to the rounding of a mean in float32."""
    return is_number(value) and -1e-6 <= value <= 1 + 1e-6  # type: ignore[operator]
