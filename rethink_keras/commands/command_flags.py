"""Flags that commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from absl import flags


class Flags(flags.FlagValues):
    """The flags of one command: absl's, without the global ones."""

    def boolean(self, name: str, text: str, **options: Any) -> None:
        """Defines a flag that is off unless it is given; `text` is its help."""
        flags.DEFINE_boolean(name, False, text, flag_values=self, **options)

    def integer(self, name: str, text: str, default: int | None = None, **options: Any) -> None:
        """Defines a flag with a whole number."""
        flags.DEFINE_integer(name, default, text, flag_values=self, **options)

    def string(self, name: str, text: str, default: str | None = None) -> None:
        """Defines a flag with a text."""
        flags.DEFINE_string(name, default, text, flag_values=self)

    def strings(self, name: str, text: str) -> None:
        """Defines a flag that can be repeated."""
        flags.DEFINE_multi_string(name, [], text, flag_values=self)


def basic_flags() -> Flags:
    """Returns the flags that every command has."""
    values = Flags()
    values.boolean("debug", "Show the traceback of an error, and all of TensorFlow's messages.")
    values.boolean("help", "Show this help.", short_name="h")
    return values


def configuration_flags(run: str | None = "train") -> Flags:
    """Returns the flags of a command that reads a configuration.

    Args:
        run: Name in gin whose seed is --seed, or None for no such flag.
    """
    values = basic_flags()
    values.strings(
        "gin_file", "Path of a gin file, or a name that bin/configs lists; repeatable, a later one overrides."
    )
    values.strings("gin_param", "Binding, such as 'train.epochs = 3'; repeatable.")
    values.boolean(
        "allow_imports", "Let gin files import modules from outside of this project, which runs their code."
    )
    if run:
        values.integer("seed", f"Seed: short for {run}.seed.")
    values.string("data_dir", "TFDS data folder; default: TFDS_DATA_DIR, then ~/tensorflow_datasets.")
    return values


def experiment_flags(run: str) -> Flags:
    """Returns the flags of a command that runs one experiment in a workdir.

    Args:
        run: Name of the experiment in gin.
    """
    values = configuration_flags(run)
    values.string("workdir", "Folder of the run; default: runs/ and the gin files' names.")
    values.boolean("print_config", "Show the resolved configuration and exit.")
    values.boolean("overwrite", "Move an earlier run in the workdir aside and start again.")
    return values


def collection_flags(kind: str, parent: str, dry_run: str) -> Flags:
    """Returns the flags of a command that makes many runs in one folder.

    Args:
        kind: What the folder holds, such as 'sweep'.
        parent: Folder below runs/ that has it by default.
        dry_run: Help text of --dry_run.
    """
    values = configuration_flags(run=None)
    values.string("workdir", f"Folder of the {kind}; default: runs/{parent}/ and the gin files' names.")
    values.boolean("dry_run", dry_run)
    return values


def collection_folder(values: Flags, parent: str) -> Path:
    """Returns the folder that the flags of `collection_flags` name."""
    names = "+".join(Path(file).stem for file in values.gin_file) or "own"
    return Path(values.workdir or Path("runs") / parent / names)


def bindings(values: flags.FlagValues, run: str = "train") -> list[str]:
    """Returns the gin bindings of the flags, that of --seed last."""
    seed = [] if values.seed is None else [f"{run}.seed = {values.seed}"]
    return [*values.gin_param, *seed]


def gin_paths(values: flags.FlagValues) -> list[str]:
    """Returns the paths of the gin files of the flags.

    Raises:
        UserError: There is no such file.
    """
    from rethink_keras import config

    return [str(config.find_gin_file(name)) for name in values.gin_file]


def flag_help(values: flags.FlagValues) -> str:
    """Returns a line of help for each flag."""
    lines = []
    for name in values:
        flag = values[name]
        if name != flag.name or flag.help is None:
            continue
        shown = f"--{name}" if flag.boolean else f"--{name}=..."
        text = flag.help.partition(";\n")[0]  # absl adds a line to the help of a repeatable flag
        lines.append(f"  {shown:<24} {text}")
    return "\n".join(lines)
