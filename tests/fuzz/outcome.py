"""Runs a command in this process and checks that it ends as documented."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable


class Failed(AssertionError):
    """A case did not end as every command must."""


def run(main: Callable[[list[str]], int], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command in this process, on streams that refuse what is no Unicode."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["command", *arguments])
        out.flush()
        err.flush()
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]  # type: ignore[attr-defined]
    return code, texts[0], texts[1]


def check(codes: set[int], code: int, out: str, err: str) -> None:
    """Raises Failed unless a command ended as documented: a code of its own, a sentence, nothing that acts."""
    if "Traceback" in err or "should not have happened" in err:
        raise Failed(err)
    if code not in codes:
        raise Failed(f"exit code {code}: {err}")
    if bool(code) != bool(err):
        raise Failed(f"exit code {code} and on stderr: {err!r}")
    if code and len(err) < 10:
        raise Failed(f"no sentence: {err!r}")
    for text in (out, err):
        if acting := {character for character in text if not character.isprintable()} - {"\n", "\t", "\r"}:
            raise Failed(f"{acting} in {text!r}")
