"""Gin's errors in plain words, with the nearest known name."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterable, Iterator

from rethink_keras.config.configurables import example, known_names, known_parameters, owners
from rethink_keras.errors import UserError

MOST_OWNERS = 3  # functions that a message names


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


def misplaced(parameter: str) -> str:
    """Returns a sentence with the names of a parameter that is written without its function, or with another's; or ''.

    Args:
        parameter: Such as 'log_uniform', for which the sentence has 'space.log_uniform' and an example.
    """
    names = owners(parameter)[:MOST_OWNERS]
    if len(names) == 1:
        return _form(names[0], parameter)
    return f" Did you mean {' or '.join(f'{name}.{parameter}' for name in names)}?" if names else ""


def _form(name: str, parameter: str) -> str:
    """Returns a sentence with the form in which a parameter is bound."""
    value = example(name, parameter)
    return f" Write {name}.{parameter} = {value}, for example." if value else f" Bind {name}.{parameter}."


def _unknown_name(name: str) -> str:
    function, _, rest = name.partition(".")
    parameter = rest.partition(".")[0]
    known = known_parameters(function) if rest else []
    if parameter in known:
        return f"{function}.{parameter} is a parameter, not a function.{_form(function, parameter)}"
    if known:
        return f"{function} has no parameter {parameter!r}.{_nearest_parameter(function, parameter)}"
    return f"there is no {name!r}.{misplaced(name) or suggestion(name, known_names())}"


def _nearest_parameter(name: str, parameter: str) -> str:
    """Returns a sentence with the known parameter nearest to one that a configurable does not have."""
    known = known_parameters(name)
    is_near = difflib.get_close_matches(parameter, known, 1, 0.8)
    # `train` in space.train.learning_rate is the name of a function, not that of a parameter.
    if not is_near and parameter not in known_names() and (sentence := misplaced(parameter)):
        return sentence
    with_example = (f"{name}.{other} = {example(name, other)}" for other in known if example(name, other))
    form = next((f" Write {line}, for example." for line in with_example), "")
    return f"{suggestion(parameter, known)}{form}"


def _plain(error: Exception) -> str:
    message = str(error)
    if found := re.search(r"No configurable matching (?:reference )?'@?([^'(]+)[^']*'", message):
        return _unknown_name(found[1])
    known = re.search(r"'([^']+)' (?:doesn't have a parameter named|has denylisted kwarg) '([^']+)'", message)
    if known:
        name, parameter = known[1].rsplit(".", 1)[-1], known[2]
        return f"{name} has no parameter {parameter!r} to bind.{_nearest_parameter(name, parameter)}"
    if found := re.search(r"No bindings specified for '([^/']+)", message):
        return f"{found[1]} is referred to, but not set. Add a line {found[1]} = ..."
    return message.strip().splitlines()[0] if message.strip() else type(error).__name__
