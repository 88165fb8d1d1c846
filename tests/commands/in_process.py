"""Runs commands in the process of a test."""

import contextlib
import io
from types import ModuleType

from tests.training.small_runs import SMALL


def main(command: ModuleType, *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command, on streams that refuse what is no Unicode."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = command.main(["command", *arguments])
        out.flush()
        err.flush()
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]  # type: ignore[attr-defined]
    return code, texts[0], texts[1]


def small(*bindings: str) -> list[str]:
    """Flags of a small run with more bindings."""
    return [f"--gin_param={binding}" for binding in (*SMALL, *bindings)]
