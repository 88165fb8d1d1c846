"""Rules about the files of the project that a reader relies on."""

from __future__ import annotations

import re
from pathlib import Path

from absl.testing import absltest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "rethink_keras"
MOST_LINES = 400
WITHOUT_TEST: dict[str, str] = {}
"""Modules without a test of their name, each with the reason."""


def files_with(pattern: str) -> dict[str, list[str]]:
    """The lines of the package that match a pattern, by file."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        if lines := [line.strip() for line in path.read_text().splitlines() if re.search(pattern, line)]:
            found[path.relative_to(ROOT).as_posix()] = lines
    return found


class VisibleBehaviourTest(absltest.TestCase):
    def test_no_method_of_keras_is_replaced_on_an_instance(self):
        self.assertEmpty(files_with(r"\.(train_step|update_step|call) = "))

    def test_private_names_of_gin_are_in_one_module(self):
        found = files_with(r"gin\.config\._|gin\.config\.ConfigurableReference|from gin\.config import")
        self.assertEqual(list(found), ["rethink_keras/config/gin_private.py"])

    def test_private_names_of_keras_are_in_one_module(self):
        objects = r"\b(optimizer|network|model|layer|strategy|keras(\.\w+)*)\._[a-z]"
        found = files_with(rf"{objects}|\b(keras\.src|tensorflow\.python)\b|from keras[\w.]* import _")
        self.assertEqual(list(found), ["rethink_keras/training/private_apis.py"])


class FilesTest(absltest.TestCase):
    def test_every_module_has_a_test_of_its_name(self):
        modules = {
            path.relative_to(PACKAGE).with_suffix("").as_posix()
            for path in PACKAGE.rglob("*.py")
            if path.name != "__init__.py"
        }
        tests = {
            path.relative_to(ROOT / "tests").as_posix().removesuffix("_test.py")
            for path in (ROOT / "tests").rglob("*_test.py")
        }
        missing = sorted(modules - tests - set(WITHOUT_TEST))
        self.assertEmpty(missing, "\n".join(["", *missing]))
        self.assertEmpty(set(WITHOUT_TEST) - (modules - tests))  # the list has no entry too many

    def test_no_file_is_longer_than_can_be_read_at_once(self):
        long = {
            str(path.relative_to(ROOT)): count
            for folder in ("rethink_keras", "tests", "benchmarks")
            for path in sorted((ROOT / folder).rglob("*.py"))
            if (count := len(path.read_text().splitlines())) > MOST_LINES
        }
        self.assertEmpty(long)


if __name__ == "__main__":
    absltest.main()
