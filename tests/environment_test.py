"""The Python that is needed: older ones are refused, and all files name the same."""

import contextlib
import importlib.util
import io
import re
import sys
import tomllib
from pathlib import Path
from unittest import mock

from absl.testing import absltest

ROOT = Path(__file__).parents[1]


def load_environment():
    """The module bin/_environment.py, which is in no package."""
    spec = importlib.util.spec_from_file_location("_environment", ROOT / "bin" / "_environment.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class EnvironmentTest(absltest.TestCase):
    def test_an_older_python_is_refused_and_the_needed_one_named(self):
        environment = load_environment()
        without_venv = Path(self.create_tempdir())
        with (
            mock.patch.object(environment, "ROOT", without_venv),
            mock.patch.object(sys, "path", [""]),
            mock.patch.object(sys, "version_info", (3, 10, 13)),
            contextlib.redirect_stderr(io.StringIO()) as stderr,
            self.assertRaises(SystemExit) as caught,
        ):
            environment.enter()
        self.assertEqual(caught.exception.code, 2)
        self.assertIn("3.11", stderr.getvalue())
        self.assertIn("3.10", stderr.getvalue())

    def test_all_files_name_the_same_oldest_python(self):
        oldest = load_environment().OLDEST
        words = ".".join(map(str, oldest))
        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        self.assertStartsWith(project["project"]["requires-python"], f">={words},")
        self.assertEqual(project["tool"]["ruff"]["target-version"], f"py{''.join(map(str, oldest))}")
        self.assertEqual(project["tool"]["mypy"]["python_version"], words)
        makefile = (ROOT / "Makefile").read_text()
        self.assertIn(f"Python {words} to", makefile)
        self.assertIn(f"version_info < {oldest}", makefile)
        self.assertIn(f"Python {words} to", (ROOT / "README.md").read_text())

    def test_the_libraries_for_gpus_are_those_of_the_same_tensorflow(self):
        version = re.compile(r"^tensorflow(\[and-cuda\])?==(\S+)$", re.MULTILINE)
        plain, with_cuda = (
            version.findall((ROOT / name).read_text())
            for name in ("requirements.txt", "requirements-gpu.txt")
        )
        self.assertEqual([("[and-cuda]", number) for _, number in plain], with_cuda)
        self.assertLen(with_cuda, 1)

    def test_every_optional_requirement_is_an_extra(self):
        dynamic = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["dynamic"]
        optional = {file for extra in dynamic["optional-dependencies"].values() for file in extra["file"]}
        files = {path.name for path in ROOT.glob("requirements-*.txt")} - {"requirements-dev.txt"}
        self.assertEqual(optional, files)

    def test_no_requirement_is_for_an_older_python(self):
        for file in ROOT.glob("requirements*.txt"):
            self.assertFalse(re.search(r"python_version", file.read_text()), file.name)


if __name__ == "__main__":
    absltest.main()
