"""What the commands share: flags, plain errors, exit codes, a quiet TensorFlow."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from absl import flags

from rethink_keras.commands import output
from rethink_keras.errors import UserError
from rethink_keras.system.text import printable

OK, FAULT, USAGE = 0, 1, 2


def basic_flags() -> flags.FlagValues:
    """The flags that every command has."""
    values = flags.FlagValues()
    flags.DEFINE_boolean("debug", False, "Show the traceback of an error.", flag_values=values)
    flags.DEFINE_boolean("help", False, "Show this help.", short_name="h", flag_values=values)
    return values


def configuration_flags(*, seed: bool = True) -> flags.FlagValues:
    """The flags that say what to run, the same for every command; `seed` if it makes one run."""
    values = basic_flags()
    flags.DEFINE_multi_string(
        "gin_file", [], "Gin file; may be repeated, a later one wins.", flag_values=values
    )
    flags.DEFINE_multi_string(
        "gin_param",
        [],
        "A binding after the files, such as 'train.epochs = 3'; repeatable.",
        flag_values=values,
    )
    flags.DEFINE_boolean(
        "allow_imports",
        False,
        "Let gin files import modules from outside of the project: that runs their code.",
        flag_values=values,
    )
    if seed:
        flags.DEFINE_integer("seed", None, "Seed of the run: short for train.seed.", flag_values=values)
    flags.DEFINE_string(
        "data_dir",
        None,
        "TFDS data folder; else TFDS_DATA_DIR, else ~/tensorflow_datasets.",
        flag_values=values,
    )
    return values


def experiment_flags(run: str) -> flags.FlagValues:
    """The flags of a command that runs one experiment in a workdir; `run` is its name in gin."""
    values = configuration_flags()
    values["seed"].help = f"Seed of the run: short for {run}.seed."
    flags.DEFINE_string(
        "workdir", None, "Folder of the run; runs/ and the gin files' names if left out.", flag_values=values
    )
    flags.DEFINE_boolean(
        "print_config", False, "Show the resolved configuration and exit.", flag_values=values
    )
    flags.DEFINE_boolean(
        "overwrite", False, "Move an earlier run in the workdir aside, start afresh.", flag_values=values
    )
    return values


def collection_flags(kind: str, places: str, dry_run: str) -> flags.FlagValues:
    """The flags of a command that makes many runs in a folder: of a `kind`, by default below runs/`places`/."""
    values = configuration_flags(seed=False)
    flags.DEFINE_string(
        "workdir",
        None,
        f"Folder of the {kind}; runs/{places}/ and the gin files' names if left out.",
        flag_values=values,
    )
    flags.DEFINE_boolean("dry_run", False, dry_run, flag_values=values)
    return values


def collection_folder(values: flags.FlagValues, places: str) -> Path:
    """The folder that the flags of `collection_flags` name."""
    names = "+".join(Path(file).stem for file in values.gin_file) or "own"
    return Path(values.workdir or Path("runs") / places / names)


def run_experiment(
    values: flags.FlagValues, name: str, run: Callable[..., Any], doing: str = "Running"
) -> None:
    """Parses the configuration and calls `run`, whose name in gin is `name`, in its workdir."""
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


def bindings(values: flags.FlagValues, run: str = "train") -> list[str]:
    """The gin bindings among the flags; `run` is the name whose seed --seed is."""
    seed = [] if values.seed is None else [f"{run}.seed = {values.seed}"]
    return [*values.gin_param, *seed]


def run_command(
    usage: str, values: flags.FlagValues, main: Callable[..., None], argv: Sequence[str], positional: int = 0
) -> int:
    """Parses flags, calls `main` and turns what it raises into a sentence on stderr and an exit code.

    Args:
        usage: help text, without the flags.
        values: the command's flags.
        main: the work; called with the arguments besides flags.
        argv: arguments, the program's name first.
        positional: how many arguments besides flags may follow.

    Returns:
        The exit code; see `rethink_keras.errors`.
    """
    with output.standard_streams():
        code = _run(usage, values, main, argv, positional)
        try:
            sys.stdout.flush()  # while an error of it can still be reported
        except BrokenPipeError:
            output.drop(sys.stdout)
            return code or 128 + signal.SIGPIPE
        except UserError as error:
            output.drop(sys.stdout)
            return code or _complain(error.sentence, error.exit_code)
        return code


def _run(
    usage: str, values: flags.FlagValues, main: Callable[..., None], argv: Sequence[str], positional: int
) -> int:
    try:
        rest = values(list(argv))
        if values.help:
            print(f"{usage.strip()}\n\nFlags:\n{_flag_help(values)}")
            return OK
        if len(rest) > 1 + positional:
            raise UserError(f"{rest[1 + positional]!r} is no flag. Write --name=value; --help lists them.")
        main(*rest[1:])
        return OK
    except flags.Error as error:
        return _complain(f"{str(error).splitlines()[0]} --help lists the flags.", USAGE)
    except UserError as error:
        if values.is_parsed() and values.debug:
            traceback.print_exc()
        return _complain(error.sentence, error.exit_code)
    except BrokenPipeError:
        output.drop(sys.stdout)  # the reader of our output went away; nothing is left to tell anybody
        return 128 + signal.SIGPIPE
    except Exception as error:
        if values.is_parsed() and values.debug:
            traceback.print_exc()
        what = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:300]}"
        return _complain(
            f"This should not have happened ({what}). Run again with --debug and report it.", FAULT
        )
    except KeyboardInterrupt:
        return _complain("Interrupted.", 128 + signal.SIGINT)


def quiet_tensorflow(threads: int | None = None) -> None:
    """Imports TensorFlow and finds its devices without its messages, which no setting silences.

    Its C++ part writes to the process's stderr before any logging is set up. If the import fails, all it
    wrote is shown.

    Args:
        threads: of the processor that it may use; None for all.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    with _held_stderr(), _not_found("sklearn", "matplotlib"):
        import keras  # noqa: F401
        import tensorflow as tf

        if threads:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(threads)
        if "TF_CONFIG" not in os.environ:  # workers must find each other before TensorFlow finds devices
            tf.config.list_logical_devices()
    import logging

    import absl.logging

    absl.logging.set_verbosity(absl.logging.ERROR)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


@contextlib.contextmanager
def _not_found(*packages: str):
    """Hides packages that Keras imports if it finds them, for parts of it that are not used here: two seconds."""
    hidden = [name for name in packages if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


@contextlib.contextmanager
def _held_stderr():
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield
        except BaseException:
            aside.seek(0)
            os.write(kept, aside.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def _flag_help(values: flags.FlagValues) -> str:
    lines = []
    for name in values:
        flag = values[name]
        if name != flag.name or flag.help is None:
            continue
        shown = f"--{name}" if flag.boolean else f"--{name}=..."
        lines.append(f"  {shown:<24} {flag.help}")
    return "\n".join(lines)


def _complain(sentence: str, code: int) -> int:
    """Prints a sentence on stderr, if that can be written, and returns the code either way."""
    try:
        print(printable(sentence, keep="\n"), file=sys.stderr, flush=True)
    except OSError:
        output.drop(sys.stderr)
    return code
