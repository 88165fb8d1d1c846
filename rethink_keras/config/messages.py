"""Gin's errors in plain words, with the nearest known name."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterable, Iterator

from rethink_keras.config.configurables import known_names, known_parameters
from rethink_keras.errors import UserError


@contextlib.contextmanager
def explained(where: str) -> Iterator[None]:
    """Turns an error of gin's parser into a UserError that says what is wrong and what to do.

    Args:
        where: The file or flag that is parsed, which begins the message.
    """
    try:
        yield
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
    except (
        Exception
    ) as error:  # gin and Python's tokenizer raise many kinds; each means that the text is wrong
        raise UserError(f"{where}: {_plain(error)}") from error


def suggestion(word: str, known: Iterable[str]) -> str:
    """Returns a sentence with the known name nearest to a word, or with all known names."""
    known = sorted(known)
    near = difflib.get_close_matches(word, known, 1, 0.5)
    return f" Did you mean {near[0]!r}?" if near else f" Known are: {', '.join(known)}."


def _plain(error: Exception) -> str:
    message = str(error)
    if found := re.search(r"No configurable matching (?:reference )?'@?([^'(]+)[^']*'", message):
        return f"there is no {found[1]!r}.{suggestion(found[1], known_names())}"
    known = re.search(r"'([^']+)' (?:doesn't have a parameter named|has denylisted kwarg) '([^']+)'", message)
    if known:
        name, parameter = known[1].rsplit(".", 1)[-1], known[2]
        return (
            f"{name} has no parameter {parameter!r} to bind.{suggestion(parameter, known_parameters(name))}"
        )
    if found := re.search(r"No bindings specified for '([^/']+)", message):
        return f"{found[1]} is referred to, but not set. Add a line {found[1]} = ..."
    return message.strip().splitlines()[0] if message.strip() else type(error).__name__
