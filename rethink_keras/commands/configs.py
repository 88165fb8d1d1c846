"""Lists the gin files of this package, each with the first line of its header.

  bin/configs
  bin/configs sweeps

A word shows only the files whose name or first line contains it. Give a file to --gin_file by its name, from any
folder, such as --gin_file=with/random_labels.gin.

Exit codes: 0 done, 2 bad usage or nothing to show, 5 the output cannot be written.
"""

from __future__ import annotations

from collections.abc import Sequence

from rethink_keras.commands import command_flags, runner, tables
from rethink_keras.errors import UserError
from rethink_keras.system.installation import config_folder


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return runner.run_command(__doc__, command_flags.basic_flags(), _list, argv, positional=1)


def _list(word: str = "") -> None:
    from rethink_keras.config import gin_files

    rows = [(name, gin_files.first_line(name)) for name in gin_files.package_names()]
    shown = [row for row in rows if any(word.lower() in cell.lower() for cell in row)]
    if not shown:
        raise UserError(
            f"No gin file of this package has {word!r} in its name or first line. Leave it out for all."
        )
    tables.print_table((("--gin_file=", {"overflow": "fold"}), ("content", {"overflow": "fold"})), shown)
    print(f"{len(shown)} gin files in {config_folder()}")
