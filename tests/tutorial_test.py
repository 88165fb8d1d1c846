"""The tutorial: as it is committed, executed whole, and installing the package where it is missing."""

from __future__ import annotations

import base64
import copy
import json
import os
import re
import tempfile
from pathlib import Path

import nbformat
import numpy as np
from absl.testing import absltest

from tests import notebook
from tests.wheel_test import copy_sources, new_environment

LARGEST_FILE, LARGEST_IMAGE = 500_000, 60_000  # bytes
CHANCE = 0.1
RUNS = {  # folder: least training accuracy, least and largest test accuracy
    "true_labels": (0.99, 0.9, 1),
    "random_labels": (0.99, 0, 2 * CHANCE),
    "half_corrupted": (0.98, 0.4, 0.85),
    "weight_decay": (0.97, 0, 2 * CHANCE),
    "shifted": (0.99, 0, 2 * CHANCE),
}


def code_cells(tutorial):
    return [cell for cell in tutorial.cells if cell.cell_type == "code"]


def printed(tutorial, cell_id, name="stdout"):
    """The text that a cell has printed."""
    (cell,) = (cell for cell in tutorial.cells if cell.id == cell_id)
    return "".join(out.text for out in cell.outputs if out.output_type == "stream" and out.name == name)


def without_troubles(test, tutorial):
    """Fails if a cell printed an error or a warning."""
    for cell in code_cells(tutorial):
        for output in cell.outputs:
            test.assertNotEqual(output.output_type, "error", cell.id)
        test.assertEqual(printed(tutorial, cell.id, "stderr"), "", cell.id)


class CommittedTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.tutorial = notebook.read()

    def test_every_cell_was_executed_in_order_without_an_error(self):
        cells = code_cells(self.tutorial)
        self.assertEqual([cell.execution_count for cell in cells], [*range(1, len(cells) + 1)])
        without_troubles(self, self.tutorial)

    def test_it_is_small(self):
        self.assertLess(notebook.TUTORIAL.stat().st_size, LARGEST_FILE)
        outputs = [output for cell in code_cells(self.tutorial) for output in cell.outputs]
        images = [output.data["image/png"] for output in outputs if "image/png" in output.get("data", {})]
        self.assertLen(images, 4)
        for image in images:
            self.assertLess(len(base64.b64decode(image)), LARGEST_IMAGE)

    def test_nothing_of_an_execution_or_a_machine_is_in_it(self):
        cleaned = copy.deepcopy(self.tutorial)
        notebook.clean(cleaned)
        self.assertEqual(cleaned, self.tutorial)
        for cell in code_cells(self.tutorial):
            texts = [output.get("text", "") for output in cell.outputs]
            texts += [
                text
                for output in cell.outputs
                for kind, text in output.get("data", {}).items()
                if "text/" in kind
            ]
            for text in texts:
                self.assertNotRegex(text, r"(?<![\w.])/\w+/|\\x1b|CPU|GHz")
        nbformat.validate(self.tutorial)

    def test_a_sentence_is_before_every_cell(self):
        kinds = [cell.cell_type for cell in self.tutorial.cells]
        for before, kind, cell in zip(kinds, kinds[1:], self.tutorial.cells[1:], strict=False):
            if kind == "code":
                self.assertEqual(before, "markdown", cell.id)

    def test_links_resolve(self):
        text = "\n".join(cell.source for cell in self.tutorial.cells if cell.cell_type == "markdown")
        files = [
            target for target in re.findall(r"\]\(([^)\s]+)\)", text) if not target.startswith("https://")
        ]
        self.assertNotEmpty(files)
        for file in files:
            self.assertTrue((notebook.TUTORIAL.parent / file).exists(), file)


class ExecutedTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        made = tempfile.TemporaryDirectory()
        cls.addClassCleanup(made.cleanup)
        cls.folder = Path(made.name) / "work"
        cls.folder.mkdir()
        cls.tutorial = notebook.read()
        notebook.execute(cls.tutorial, cls.folder, Path(made.name) / "home", PYTHONPATH=str(notebook.ROOT))

    def test_its_outputs_are_those_that_are_committed_in_kind(self):
        without_troubles(self, self.tutorial)

        def kinds(cell):
            shown = [sorted(output.data) for output in cell.outputs if output.output_type != "stream"]
            return shown, bool([out for out in cell.outputs if out.output_type == "stream"])

        for executed, committed in zip(code_cells(self.tutorial), code_cells(notebook.read()), strict=True):
            self.assertEqual(kinds(executed), kinds(committed), executed.id)

    def test_what_it_says_of_the_runs(self):
        folders = {path.name for path in (self.folder / "runs").iterdir()}
        self.assertEqual(folders, set(RUNS))
        for name, (least_train, least_test, largest_test) in RUNS.items():
            with self.subTest(name):
                summary = json.loads((self.folder / "runs" / name / "summary.json").read_text())
                self.assertEqual(summary["status"], "done")
                self.assertGreaterEqual(summary["final"]["train_accuracy"], least_train)
                self.assertBetween(summary["final"]["test_accuracy"], least_test, largest_test)

    def test_wrong_labels_are_fitted_last(self):
        stored = np.load(self.folder / "runs" / "half_corrupted" / "predictions.npz")
        is_fitted = stored["predicted"] == stored["labels"]
        wrong = stored["labels"] != stored["original_labels"]
        self.assertBetween(wrong.mean(), 0.4, 0.5)
        self.assertGreater(is_fitted[4, ~wrong].mean(), 0.85)
        self.assertLess(is_fitted[4, wrong].mean(), 0.3)
        rows = (self.folder / "runs" / "half_corrupted" / "metrics.csv").read_text().splitlines()
        last = dict(zip(rows[0].split(","), rows[-1].split(","), strict=True))
        self.assertAlmostEqual(is_fitted[-1].mean(), float(last["train_accuracy"]), delta=0.002)
        (count,) = re.findall(r", (\d+) have a wrong label", printed(self.tutorial, "images"))
        self.assertGreater(int(count), 60)

    def test_the_shifted_labels_are_learned_and_not_those_before(self):
        shifted, before = (
            float(share) for share in re.findall(r"([\d.]+)%", printed(self.tutorial, "shifted"))
        )
        self.assertGreater(shifted, 99)
        self.assertLess(before, 1)

    def test_the_report_lists_every_run(self):
        (cell,) = (cell for cell in self.tutorial.cells if cell.id == "report")
        table = cell.outputs[-1].data["text/markdown"]
        for name in RUNS:
            self.assertIn(f"| {name} | done |", table)
        self.assertTrue((self.folder / "report" / "index.html").is_file())


class InstallTest(absltest.TestCase):
    def test_the_first_cell_installs_the_package_where_it_is_missing(self):
        folder = Path(self.create_tempdir()).resolve()
        programs = new_environment(folder / "venv")
        docs = copy_sources(folder) / "docs"
        docs.mkdir()
        tutorial = notebook.read()
        first = code_cells(tutorial)[0]
        self.assertIn("pip install", first.source)
        shows = nbformat.v4.new_code_cell("import rethink_keras; print(rethink_keras.__file__)", id="shows")
        tutorial.cells = [first, shows]
        environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PIP_NO_INDEX": "1",  # the requirements are installed
            "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it as the value of "build isolation"
        }
        notebook.execute(tutorial, docs, folder / "home", python=str(programs / "python"), **environment)
        self.assertStartsWith(printed(tutorial, "shows").strip(), str(folder / "venv"))


if __name__ == "__main__":
    absltest.main()
