"""Runs commands in the process of a test."""

import contextlib
import io

from tests.training.small_runs import SMALL


def main(command, *arguments):
    """Exit code, stdout and stderr of a command run in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = command.main(["command", *arguments])
    return code, out.getvalue(), err.getvalue()


def small(*bindings):
    return [f"--gin_param={binding}" for binding in (*SMALL, *bindings)]
