"""Runs a command: flags in, one call, an error as a sentence on stderr, an exit code out."""

from __future__ import annotations

import importlib
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from absl import flags

from rethink_keras.commands.command_flags import bindings, experiment_flags, flag_help
from rethink_keras.commands.tensorflow_start import start_tensorflow
from rethink_keras.errors import UserError
from rethink_keras.system.installation import as_typed
from rethink_keras.system.streams import discard, standard_streams
from rethink_keras.system.text import printable

OK, FAULT, USAGE = 0, 1, 2


def run_command(
    usage: str,
    values: flags.FlagValues,
    main: Callable[..., None],
    argv: Sequence[str] | None,
    positional: int = 0,
) -> int:
    """Parses flags, calls the command's function and returns the exit code.

    Args:
        usage: Help text without the flags.
        values: The command's flags.
        main: The command's function. It is called with the arguments that are not flags.
        argv: Arguments, the program's name first; None for those of this process.
        positional: The largest number of arguments that are not flags.

    Returns:
        The exit code; see `rethink_keras.errors`.
    """
    with standard_streams():
        code = _run(usage, values, main, argv or sys.argv, positional)
        try:
            sys.stdout.flush()  # while an error of stdout can still be reported
        except BrokenPipeError:
            discard(sys.stdout)
            return code or 128 + signal.SIGPIPE
        except UserError as error:
            discard(sys.stdout)
            return code or _report(error.sentence, error.exit_code)
        return code


def run_theory(usage: str, name: str, argv: Sequence[str] | None) -> int:
    """Runs the command of an experiment in `rethink_keras.theory` and returns the exit code.

    Args:
        usage: Help text without the flags.
        name: Name of the experiment in gin, which is that of its module and of its function.
        argv: As for `run_command`.
    """
    values = experiment_flags(name)

    def run() -> None:
        start_tensorflow(values.debug)
        module = importlib.import_module(f"rethink_keras.theory.{name}")
        run_experiment(values, name, getattr(module, name))

    return run_command(usage, values, run, argv)


def run_experiment(
    values: flags.FlagValues, name: str, run: Callable[..., Any], doing: str = "Running"
) -> None:
    """Parses the configuration and runs one experiment in its workdir.

    Args:
        values: Flags of `command_flags.experiment_flags`.
        name: Name of the experiment in gin.
        run: Function with parameters workdir, data_dir and overwrite. It returns an object with `workdir`.
        doing: Verb that begins the line printed first, such as 'Training'.
    """
    from rethink_keras import config
    from rethink_keras.workdir.workdir import default_workdir

    config.parse(values.gin_file, bindings(values, name), allow_imports=values.allow_imports)
    if values.print_config:
        print(config.resolved(), end="")
        return
    folder = values.workdir or default_workdir(values.gin_file)
    print(f"{doing} in {folder}", flush=True)
    result = run(workdir=folder, data_dir=values.data_dir, overwrite=values.overwrite)
    print(f"Wrote {result.workdir}: {', '.join(sorted(p.name for p in result.workdir.glob('[!.]*')))}")


def _run(
    usage: str, values: flags.FlagValues, main: Callable[..., None], argv: Sequence[str], positional: int
) -> int:
    try:
        rest = values(list(argv))
        if values.help:
            print(as_typed(f"{usage.strip()}\n\nFlags:\n{flag_help(values)}"))
            return OK
        if len(rest) > 1 + positional:
            raise UserError(f"{rest[1 + positional]!r} is no flag. Write --name=value; --help lists them.")
        main(*rest[1:])
        return OK
    except flags.Error as error:
        return _report(f"{str(error).splitlines()[0]} --help lists the flags.", USAGE)
    except UserError as error:
        if values.is_parsed() and values.debug:
            traceback.print_exc()
        return _report(error.sentence, error.exit_code)
    except BrokenPipeError:
        discard(sys.stdout)  # the reader of the output is gone, as after `| head`
        return 128 + signal.SIGPIPE
    except Exception as error:
        if values.is_parsed() and values.debug:
            traceback.print_exc()
        what = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:300]}"
        return _report(
            f"This should not have happened ({what}). Run again with --debug and report it.", FAULT
        )
    except KeyboardInterrupt:
        return _report("Interrupted.", 128 + signal.SIGINT)


def _report(sentence: str, code: int) -> int:
    """Prints a sentence on stderr, if that can be written, and returns the code."""
    try:
        print(printable(as_typed(sentence), keep="\n"), file=sys.stderr, flush=True)
    except (OSError, UserError):
        discard(sys.stderr)
    return code
