"""What the documents name exists: files, headings, commands, flags, gin files, parameters, exit codes."""

import contextlib
import functools
import importlib
import inspect
import io
import pkgutil
import re
import shlex
import signal
from pathlib import Path

from absl.testing import absltest, parameterized

import rethink_keras
from rethink_keras import config, errors
from rethink_keras.config import configurables

ROOT = Path(__file__).parents[1]
GIN = ROOT / "gin"
PAGES = sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *PAGES, ROOT / "benchmarks" / "README.md"]
README_LINES = 150
ELSEWHERE = (
    "runs/",
    "config.gin",
    "my_",
)  # gin files that a command writes, or the reader; own_files_test.py
PARAMETER = re.compile(r"`([a-z]\w*)\.(?!json|log|gin\b|py\b)([a-z]\w*)( = [^`]*)?`")
TABLES = {  # tables of other code's flags: which gin file their parameters are applied to
    "`fitting-random-labels`": "fitting_random_labels_wrn.gin",
    "The earlier Python replication": "table1_inception.gin",
}


def each(paths):
    return [(str(path.relative_to(ROOT).with_suffix("")).replace("/", "_"), path) for path in paths]


def blocks(path):
    """The contents of fenced blocks without a language."""
    return re.findall(r"^```\n(.*?)^```$", path.read_text(), re.M | re.S)


def commands(path):
    """The commands in fenced blocks and in code within text, each as a list of words; `bin/...` is the first."""
    lines = "\n".join(blocks(path)).replace("\\\n", " ").splitlines()
    prose = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.M | re.S)
    lines += re.findall(r"`(bin/\w+ [^`]*)`", prose)
    lines = [re.sub(r"^rethink-keras (?=\w)", "bin/", line) for line in lines]
    found = [shlex.split(line.partition(";")[0], comments=True) for line in lines if line.startswith("bin/")]
    return [words for words in found if len(words) > 1]


@functools.cache
def flags_of(command):
    """The flags that a command's help lists."""
    module = importlib.import_module(f"rethink_keras.commands.{command}")
    with contextlib.redirect_stdout(io.StringIO()) as out:
        module.main([command, "--help"])
    return set(re.findall(r"^  --(\w+)", out.getvalue(), re.M))


@functools.cache
def register_configurables():
    """Imports every module of the package, so that gin knows all names."""
    for module in pkgutil.walk_packages(rethink_keras.__path__, "rethink_keras."):
        importlib.import_module(module.name)


def parse(words):
    """Parses the gin files and parameters of a command."""
    register_configurables()
    values = [word.removeprefix("--").partition("=")[::2] for word in words if word.startswith("--gin_")]
    files = [value for name, value in values if name == "gin_file" and not value.startswith(ELSEWHERE)]
    with (
        contextlib.chdir(ROOT),
        config.parsed(files, [value for name, value in values if name == "gin_param"]),
    ):
        pass


def anchors(path):
    """The anchors of a document's headings, as GitHub makes them."""
    prose = re.sub(r"^```.*?^```$", "", path.read_text(), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.*)$", prose, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


class DocumentsTest(parameterized.TestCase):
    def test_readme_is_short(self):
        self.assertLessEqual(len((ROOT / "README.md").read_text().splitlines()), README_LINES)

    def test_readme_links_to_every_page(self):
        for page in PAGES:
            self.assertIn(f"(docs/{page.name})", (ROOT / "README.md").read_text())

    @parameterized.named_parameters(*each(PAGES))
    def test_page_begins_with_a_command(self, page):
        self.assertRegex(page.read_text(), r"\A# .*\n\n```\n(bin/|\.venv/bin/python )")

    @parameterized.named_parameters(*each(DOCUMENTS))
    def test_links_resolve(self, path):
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
            if target.startswith("https://"):
                continue
            file, _, anchor = target.partition("#")
            linked = path.parent / file if file else path
            self.assertTrue(linked.exists(), target)
            if anchor:
                self.assertIn(anchor, anchors(linked))

    @parameterized.named_parameters(*each(DOCUMENTS))
    def test_commands_parse(self, path):
        for words in commands(path):
            with self.subTest(" ".join(words)):
                name = words[0].removeprefix("bin/")
                self.assertTrue((ROOT / words[0]).exists(), words[0])
                given = {word.removeprefix("--").partition("=")[0] for word in words if word.startswith("--")}
                self.assertEmpty(given - flags_of(name))
                parse(words)

    @parameterized.named_parameters(*each(DOCUMENTS))
    def test_files_and_folders_in_code_exist(self, path):
        named = re.findall(
            r"`((?:gin|bin|docs|results|benchmarks|rethink_keras|tests)/[\w./]*)`", path.read_text()
        )
        for name in named:
            if "my_" not in name:  # an example
                self.assertTrue((ROOT / name).exists(), name)

    @parameterized.named_parameters(*each(DOCUMENTS))
    def test_benchmarks_and_make_targets_exist(self, path):
        text = path.read_text()
        for module in re.findall(r"-m benchmarks\.(\w+)|… benchmarks\.(\w+)", text):
            self.assertTrue((ROOT / "benchmarks" / f"{''.join(module)}.py").exists(), module)
        for target in re.findall(r"^make (\w[\w-]*)|`make (\w[\w-]*)`", text, re.M):
            self.assertRegex((ROOT / "Makefile").read_text(), rf"(?m)^{''.join(target)}:")

    @parameterized.named_parameters(*each(DOCUMENTS))
    def test_gin_parameters_in_code_are_known(self, path):
        register_configurables()
        names = set(configurables.known_names())
        for name, parameter, value in PARAMETER.findall(path.read_text()):
            if name in names and "@my_" not in value:
                with self.subTest(f"{name}.{parameter}{value}"):
                    self.assertIn(parameter, configurables.known_parameters(name))
                    with config.parsed([], [f"{name}.{parameter}{value}"] if value else []):
                        pass

    @parameterized.parameters(*TABLES.items())
    def test_equivalents_of_other_codes_flags_parse(self, heading, experiment):
        text = (ROOT / "docs" / "coming_from_pytorch.md").read_text()
        section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        rows = re.findall(r"^\| .* \| (.*--gin_.*) \|$", section, re.M)
        self.assertGreater(len(rows), 9)
        for row in rows:
            with self.subTest(row):
                words = [word for code in re.findall(r"`([^`]*)`", row) for word in shlex.split(code)]
                parse([f"--gin_file=gin/{experiment}", *words])

    @parameterized.named_parameters(*each(sorted(GIN.rglob("*.gin"))))
    def test_gin_file_is_in_a_document(self, path):
        text = "".join(document.read_text() for document in DOCUMENTS)
        in_listed_folder = path.parent != GIN and f"`{path.parent.relative_to(ROOT)}/`" in text
        self.assertTrue(in_listed_folder or f"gin/{path.relative_to(GIN)}" in text, path)

    def test_exit_codes_are_those_of_the_errors(self):
        table = (ROOT / "docs" / "exit_codes_and_files.md").read_text().partition("## The files")[0]
        listed = {
            int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.M) for code in row.split(",")
        }
        raised = {0, 1, 128 + signal.SIGPIPE}
        for error in vars(errors).values():
            if inspect.isclass(error) and issubclass(error, errors.UserError):
                if error is errors.StoppedBySignalError:
                    raised |= {error("", s).exit_code for s in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)}
                else:
                    raised.add(error("").exit_code)
        self.assertEqual(listed, raised)


if __name__ == "__main__":
    absltest.main()
