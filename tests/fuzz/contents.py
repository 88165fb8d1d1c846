"""Content that no writer of this project makes: texts, values, damaged files, odd folders; drawn by `random.Random`."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

TEXTS = (
    *("", " ", "x[/y]", "x[red]y", "[/]", "\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "a\rb", "a\nb", "\x00", "\x9b2J"),
    *("\ud800", "\udcff", "a\u202eb", "\ufeff", "\u0301", "日本語", "🎉", "ﷺ" * 20, "é", "A" * 999),
    *("$x$", r"$\frac{$", "$", r"\$", "$" * 11, r"$\mathrm{x", "a$b$c$", "_", "_nolegend_", "%s", "{}", "{{7*7}}"),
    *("<script>alert(1)</script>", "<!--", "]]>", "&lt;", '" onload="x', "| a | b |"),
    *("`" * 4, "```\n# x", "*a*", "[a](b)"),
    *("corruption_1e999", "corruption_nan", "corruption_-1", "corruption_0.5", "corruption_"),
    *("..", "../..", "/etc", ".", "a/b", "-x", "=1+1", "None", "nan", "true", "plain", "inception", "done", "full"),
    *("table1", "crop", "random_labels+crop"),
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2**31, 2**63, 2**64, 10**400, -(10**400), 0.5, -0.5, 1e-320, 1e308, -1e308),
    *(float("nan"), float("inf"), float("-inf"), [], {}, ["done"], [[]], [1, 2], {"a": {}}, {"": None}, [None] * 50),
)  # fmt: skip
FOLDERS = (
    *(b"x[/y]", b"x[red]y", b"\xff\xfe", b"\x1b[2J", b"a\nb", b"$x", rb"$\frac{$", b"|", b"<b>", b"-x", b" ", b"..x"),
    *(b"n" * 255, "日本".encode(), b"\\", b"a'b", b'a"b', b"%s", b"{{1}}", b"`x`", b"*"),
)  # fmt: skip


def text(rng: random.Random) -> str:
    """A text that somebody might interpret."""
    if rng.random() < 0.15:
        return "".join(chr(rng.randrange(0x3000)) for _ in range(rng.randrange(12)))
    return rng.choice(TEXTS) + (rng.choice(TEXTS) if rng.random() < 0.2 else "")


def value(rng: random.Random) -> Any:
    """A JSON value of any kind."""
    draw = rng.random()
    if draw < 0.4:
        return text(rng)
    if draw < 0.5:
        return nested(rng.choice((30, 400)))
    return rng.choice(VALUES)


def nested(depth: int) -> Any:
    """Lists within lists."""
    made: Any = []
    for _ in range(depth):
        made = [made]
    return made


def folder_name(rng: random.Random) -> str:
    """The name of a folder, which need not be UTF-8."""
    return os.fsdecode(rng.choice(FOLDERS))


def mutated(rng: random.Random, tree: Any, deep: float = 0.8) -> Any:
    """A JSON value with one place of it replaced, removed, added or repeated."""
    if isinstance(tree, dict) and tree and rng.random() < deep:
        name = rng.choice(sorted(tree))
        draw = rng.random()
        if draw < 0.1:
            return {key: inner for key, inner in tree.items() if key != name}
        if draw < 0.15:
            return {**tree, text(rng): value(rng)}
        return {**tree, name: mutated(rng, tree[name], deep)}
    if isinstance(tree, list) and tree and rng.random() < deep:
        at = rng.randrange(len(tree))
        if rng.random() < 0.15:
            return [*tree, tree[at]]
        return [*tree[:at], mutated(rng, tree[at], deep), *tree[at + 1 :]]
    return value(rng)


def damage_json(rng: random.Random, path: Path) -> None:
    """Changes places of a JSON file; now and then it is no JSON any more."""
    if rng.random() < 0.2:
        damage_bytes(rng, path)
        return
    tree = json.loads(path.read_text())
    for _ in range(rng.choice((1, 1, 2, 5))):
        tree = mutated(rng, tree)
    path.write_text(json.dumps(tree))


def damage_table(rng: random.Random, path: Path) -> None:
    """Changes cells of a CSV file; now and then it is no table any more."""
    if rng.random() < 0.2:
        damage_bytes(rng, path)
        return
    lines = [line.split(",") for line in path.read_text().splitlines()]
    for _ in range(rng.choice((1, 1, 3))):
        line = rng.choice(lines)
        at = rng.randrange(len(line))
        draw = rng.random()
        if draw < 0.1:
            del line[at]
        elif draw < 0.2:
            lines.insert(rng.randrange(len(lines) + 1), list(rng.choice(lines)))
        elif draw < 0.25:
            line[at] = "9" * rng.choice((400, 5_000, 140_000))
        else:
            line[at] = (
                str(value(rng)) if rng.random() < 0.7 else rng.choice(("nan", "1e308", "-1", '"', "1_0", "٣"))
            )
        if not line:
            line.append("")
    path.write_bytes("\n".join(",".join(line) for line in lines).encode("utf-8", "surrogatepass"))


def damage_bytes(rng: random.Random, path: Path) -> None:
    """Replaces a file, or a part of it."""
    rng.choice(_DAMAGES)(rng, path)


def odd_file(rng: random.Random, path: Path) -> None:
    """Puts something else in the place of a file."""
    path.unlink()
    kind = rng.randrange(6)
    if kind == 0:
        path.mkdir()
    elif kind == 1:
        os.mkfifo(path)
    elif kind == 2:
        path.symlink_to(path.name)
    elif kind == 3:
        path.symlink_to("/dev/zero")
    elif kind == 4:
        with path.open("wb") as file:
            file.truncate(70 * 2**20)
    # else it is not there


def gin_value(rng: random.Random) -> str:
    """The text of a value in a gin file."""
    draw = rng.random()
    if draw < 0.15:
        depth = rng.choice((10, 60, 500, 3_000))
        before, after = rng.choice((("[", "]"), ("(", ")"), ("{1: ", "}")))
        return before * depth + "1" + after * depth
    if draw < 0.3:
        return rng.choice(("9", "-9", "0x9", "1e", "0.")) + "9" * rng.choice((3, 40, 400, 5_000))
    if draw < 0.55:
        return repr(text(rng))
    if draw < 0.65:
        return rng.choice(
            ("@mlp", "@mlp()", "@train()", "@a/group()", "[@mlp()]", "%X", "@os.system", "@gin.singleton")
        )
    if draw < 0.75:
        return repr("x".join([rng.choice(("2", "9" * 30))] * rng.choice((2, 40, 3_001))))
    return repr(rng.choice(VALUES[:18]))


def gin_statement(rng: random.Random) -> str:
    """A line that is no binding."""
    module = rng.choice(
        (
            "os",
            "os.path",
            "rethink_keras_",
            "antigravity",
            "this",
            "sitecustomize",
            "rethink_keras.system.files",
        )
    )
    return rng.choice(
        (
            f"import {module}",
            f"import {module} as rethink_keras",
            f"from {module} import system",
            "from __gin__ import dynamic_registration\nimport rethink_keras.system.files as x\nx.os.system.a = 'x'",
            "include 'file.gin'",
            "include '/dev/zero'",
            "include '/etc/passwd'",
            f"include {text(rng)!r}",
            text(rng),
        )
    )


def _truncate(rng: random.Random, path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: rng.randrange(len(content) + 1)])


def _overwrite(rng: random.Random, path: Path) -> None:
    content = bytearray(path.read_bytes())
    at = rng.randrange(len(content) + 1)
    content[at : at + rng.randrange(50)] = rng.randbytes(rng.randrange(9))
    path.write_bytes(bytes(content))


def _nest(rng: random.Random, path: Path) -> None:
    path.write_text(rng.choice(("[", '{"a":')) * rng.choice((50, 100_000)))


def _replace(rng: random.Random, path: Path) -> None:
    path.write_bytes(
        rng.choice((b"", b"[]", b"{", b"null", b"\xff\xfe\x00", b"\x00" * 99, b'"x"', b"1", b"9" * 5_000))
    )


_DAMAGES: tuple[Callable[[random.Random, Path], None], ...] = (
    _truncate,
    _overwrite,
    _nest,
    _replace,
    odd_file,
)
