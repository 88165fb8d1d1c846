"""One style of docstrings: Google's, with sections whose entries are sentences."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from absl.testing import absltest, parameterized

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("rethink_keras", "benchmarks")
SECTION = re.compile(r"^(Args|Attributes|Raises|Returns|Yields):$")
BEGINNING = re.compile(r"[^a-z]|(u?int|float|bfloat)\d|bool\b")  # a capital letter, a literal or a dtype
ENTRY = re.compile(r"^    (\*{0,2}[\w.]+): (.*)$")


def sources() -> Iterator[tuple[str, str]]:
    """Name and text of each file."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text()


def entries(docstring: str) -> Iterator[str]:
    """The descriptions in the sections of a docstring: of each parameter, attribute and error, and of what returns."""
    section, entry = "", ""
    for line in [*docstring.splitlines(), "end"]:
        begins = SECTION.match(line)
        names = section in ("Args", "Attributes", "Raises")
        starts = ENTRY.match(line) if names else None
        if entry and (begins or starts or (line and not line.startswith(" "))):
            yield entry
            entry = ""
        if begins or (line and not line.startswith(" ")):
            section = begins[1] if begins else ""
        elif starts:
            entry = starts[2]
        elif section and line.strip() and (entry or not names):
            entry = f"{entry} {line.strip()}".strip()


def faults(name: str, text: str) -> Iterator[str]:
    """What is against the style in a file."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or not (
            docstring := ast.get_docstring(node)
        ):
            continue
        place = f"{name}:{node.lineno}: {node.name}"
        first = docstring.splitlines()[0]
        properties = ("property", "cached_property", "setter")
        is_property = any(ast.unparse(d).endswith(properties) for d in node.decorator_list)
        public_function = (
            isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and not is_property
        )
        if public_function and not re.match(r"[A-Z][a-z]*s\b", first):
            yield f"{place} does not begin with a verb such as Returns: {first}"
        for entry in entries(docstring):
            if not BEGINNING.match(entry) or not re.search(r"[.:]$|`$", entry):
                yield f"{place} has an entry that is no sentence: {entry}"


class DocstringsTest(absltest.TestCase):
    def test_all_have_one_style(self):
        found = [fault for name, text in sources() for fault in faults(name, text)]
        self.assertEmpty(found, "\n".join([f"{len(found)}", *found]))


class FaultsTest(parameterized.TestCase):
    """The check finds what it looks for."""

    GOOD = '''def f(a, b):
    """Returns the sum.

    Args:
        a: The first number. It may be
            negative.
        b: `None` stands for 0.

    Returns:
        A number, such as 3.

    Raises:
        ValueError: A number is missing.
    """
'''

    def test_the_style(self):
        self.assertEmpty(list(faults("file", self.GOOD)))

    @parameterized.parameters(
        ("Returns the", "The"),
        ("The first", "the first"),
        ("negative.", "negative"),
        ("A number, such", "a number, such"),
        ("missing.", "missing"),
        ("A number is", "if a number is"),
    )
    def test_faults(self, old, new):
        self.assertLen(list(faults("file", self.GOOD.replace(old, new))), 1)


if __name__ == "__main__":
    absltest.main()
