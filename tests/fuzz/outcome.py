"""How every command must end."""

from __future__ import annotations


class Failed(AssertionError):
    """A case did not end as every command must."""


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
