"""Flags that commands share."""

from __future__ import annotations

from pathlib import Path

from absl import flags


def basic_flags() -> flags.FlagValues:
    """Returns the flags that every command has."""
    values = flags.FlagValues()
    flags.DEFINE_boolean(
        "debug",
        False,
        "Show the traceback of an error, and all of TensorFlow's messages.",
        flag_values=values,
    )
    flags.DEFINE_boolean("help", False, "Show this help.", short_name="h", flag_values=values)
    return values


def configuration_flags(run: str | None = "train") -> flags.FlagValues:
    """Returns the flags of a command that reads a configuration.

    Args:
        run: Name in gin whose seed is --seed, or None for no such flag.
    """
    values = basic_flags()
    flags.DEFINE_multi_string(
        "gin_file", [], "Gin file; repeatable, a later one overrides.", flag_values=values
    )
    flags.DEFINE_multi_string(
        "gin_param", [], "Binding, such as 'train.epochs = 3'; repeatable.", flag_values=values
    )
    flags.DEFINE_boolean(
        "allow_imports",
        False,
        "Let gin files import modules from outside of this project, which runs their code.",
        flag_values=values,
    )
    if run:
        flags.DEFINE_integer("seed", None, f"Seed: short for {run}.seed.", flag_values=values)
    flags.DEFINE_string(
        "data_dir",
        None,
        "TFDS data folder; default: TFDS_DATA_DIR, then ~/tensorflow_datasets.",
        flag_values=values,
    )
    return values


def experiment_flags(run: str) -> flags.FlagValues:
    """Returns the flags of a command that runs one experiment in a workdir.

    Args:
        run: Name of the experiment in gin.
    """
    values = configuration_flags(run)
    flags.DEFINE_string(
        "workdir", None, "Folder of the run; default: runs/ and the gin files' names.", flag_values=values
    )
    flags.DEFINE_boolean(
        "print_config", False, "Show the resolved configuration and exit.", flag_values=values
    )
    flags.DEFINE_boolean(
        "overwrite", False, "Move an earlier run in the workdir aside and start again.", flag_values=values
    )
    return values


def collection_flags(kind: str, parent: str, dry_run: str) -> flags.FlagValues:
    """Returns the flags of a command that makes many runs in one folder.

    Args:
        kind: What the folder holds, such as 'sweep'.
        parent: Folder below runs/ that has it by default.
        dry_run: Help text of --dry_run.
    """
    values = configuration_flags(run=None)
    flags.DEFINE_string(
        "workdir",
        None,
        f"Folder of the {kind}; default: runs/{parent}/ and the gin files' names.",
        flag_values=values,
    )
    flags.DEFINE_boolean("dry_run", False, dry_run, flag_values=values)
    return values


def collection_folder(values: flags.FlagValues, parent: str) -> Path:
    """Returns the folder that the flags of `collection_flags` name."""
    names = "+".join(Path(file).stem for file in values.gin_file) or "own"
    return Path(values.workdir or Path("runs") / parent / names)


def bindings(values: flags.FlagValues, run: str = "train") -> list[str]:
    """Returns the gin bindings of the flags, that of --seed last."""
    seed = [] if values.seed is None else [f"{run}.seed = {values.seed}"]
    return [*values.gin_param, *seed]


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
