"""Where the gin files are and how commands are typed: in a clone of the repository, or installed from a wheel.

In a clone, gin/ and bin/ are beside the package. A wheel has the same gin files in `rethink_keras/gin/` and, instead of
bin/, the program `rethink-keras`, whose subcommands are the commands of bin/. The documents and messages name the
commands as they are in a clone.
"""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
PROGRAM = "rethink-keras"
COMMANDS = (
    "demo",
    "train",
    "configs",
    "runs",
    "sweep",
    "report",
    "tune",
    "data",
    "expressivity",
    "kernel",
    "minimum_norm",
)
"""The commands of bin/, in the order in which the help of `rethink-keras` lists them."""
_IN_TEXT = re.compile(rf"(?<![\w/.-])bin/({'|'.join(COMMANDS)})\b")
_REQUIREMENTS = re.compile(r"-r requirements-(\w+)\.txt")


def config_folder(package: Path = PACKAGE) -> Path:
    """Returns the folder of the gin files: in the package if it is installed from a wheel, else beside it."""
    inside = package / "gin"
    return inside if inside.is_dir() else package.parent / "gin"


def scripts_folder(package: Path = PACKAGE) -> Path | None:
    """Returns the folder bin/ of a clone, or None for an installed package."""
    folder = package.parent / "bin"
    is_clone = config_folder(package).parent == package.parent
    return folder if is_clone and (folder / "train").is_file() else None


def python_arguments(command: str, package: Path = PACKAGE) -> tuple[str, ...]:
    """Returns the arguments with which this Python runs a command, such as 'train', in any present folder."""
    scripts = scripts_folder(package)
    if scripts:
        return (str(scripts / command),)
    # -P: the present folder, where anything may lie, is not searched for modules.
    return ("-P", "-m", "rethink_keras.commands.command_line", command)


def as_typed(text: str, package: Path = PACKAGE) -> str:
    """Returns a text in which commands and optional requirements are written as this installation has them.

    Args:
        text: A text that names commands as `bin/train` and requirements as `pip install -r requirements-ray.txt`.
        package: Folder of the package.
    """
    if scripts_folder(package):
        return text
    return _REQUIREMENTS.sub(r"'rethink_keras[\1]'", _IN_TEXT.sub(rf"{PROGRAM} \1", text))
