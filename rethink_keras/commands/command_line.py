"""The experiments of Zhang et al. 2017, 'Understanding deep learning requires rethinking generalization'.

  rethink-keras demo
  rethink-keras train --gin_file=quickstart.gin
  rethink-keras train --help

The commands, which are the same as those in bin/:

{commands}

Exit codes: those of the command; 2 without a known command.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from rethink_keras.commands import command_flags, runner
from rethink_keras.errors import UserError
from rethink_keras.system.installation import COMMANDS, PROGRAM, as_typed


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command that the first argument names, and returns its exit code."""
    arguments = list(sys.argv if argv is None else argv)
    name = arguments[1] if len(arguments) > 1 else ""
    if name in COMMANDS:
        return _module(name).main([f"{PROGRAM} {name}", *arguments[2:]])
    # The flags after a word that is no command are not this program's.
    own = arguments if name.startswith("-") else arguments[:2]
    return runner.run_command(_usage(), command_flags.basic_flags(), _unknown, own, positional=1)


def _unknown(name: str = "") -> None:
    from rethink_keras.config.messages import suggestion

    wrong = f"{name!r} is no command.{suggestion(name, COMMANDS)}" if name else "No command is named."
    raise UserError(f"{wrong} {PROGRAM} --help lists all.")


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {_summary(name)}" for name in COMMANDS]
    return (__doc__ or "").format(commands="\n".join(lines))


def _summary(name: str) -> str:
    """Returns the first line of a command's help."""
    return as_typed((_module(name).__doc__ or "").strip().splitlines()[0])


def _module(name: str):
    return importlib.import_module(f"rethink_keras.commands.{name}")


if __name__ == "__main__":
    raise SystemExit(main())
