import os
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

from absl.testing import absltest

from rethink_keras.errors import UserError
from rethink_keras.reports import report
from tests.reports import made_sweeps as made

ROOT = Path(__file__).parents[2]
TABLE9 = """
from rethink_keras.reports.measures import NETWORK, Measure
from rethink_keras.reports.paper_numbers import PaperNumbers
from rethink_keras.reports.paper_results import PAPER_RESULTS, PaperResult


@PAPER_RESULTS.register("table9")
class Table9(PaperResult):
    name = "Table 9"
    title = "Test errors"
    how_to_read = "Errors after the last epoch."
    dataset = "cifar10"
    numbers = PaperNumbers({("mlp_1x512", "plain"): {"test_error": 49.0}})
    labels = (NETWORK,)
    measures = (
        Measure("test_error", "test error (%)", lambda run: 100 * (1 - run.final["test_accuracy"])),
    )
    plotted = "test_error"
"""


class ReportTest(made.FolderTestCase):
    def files(self, folder):
        return {
            str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()
        }

    def test_the_same_runs_give_the_same_bytes(self):
        made.all_kinds(self.folder / "runs")
        for name in ("one", "two"):
            report.write(self.folder / "runs", self.folder / name)
        one, two = self.files(self.folder / "one"), self.files(self.folder / "two")
        self.assertEqual(one, two)
        self.assertContainsSubset(
            {
                "index.html",
                "report.md",
                "tables/table1.csv",
                "tables/figure1b_1c_small.csv",
                "figures/table1.png",
                "figures/figure1a.svg",
                "figures/figure1b_1c_small_1b.png",
            },
            one,
        )
        for name, content in one.items():
            if name.endswith(".svg"):
                xml.etree.ElementTree.fromstring(content)
            if name.endswith(".png"):
                self.assertStartsWith(content, b"\x89PNG")

    def test_markdown_tells_of_all(self):
        made.all_kinds(self.folder / "runs")
        report.write(self.folder / "runs", self.folder / "out")
        text = (self.folder / "out" / "report.md").read_text()
        full, small = text.index("## Table 1\n"), text.index("## Figures 1b and 1c, small version")
        self.assertLess(full, small)
        self.assertIn("| Table 1 | 5 | 9 | 5 done, 1 running, 1 diverged, 1 damaged, 1 missing |", text)
        self.assertIn("[1]** MLP 1×512, random, no, no: The runs differ in their code version", text)
        self.assertIn(f"bin/sweep --gin_file=gin/sweeps/table1.gin --workdir={self.folder}/runs/table1", text)
        self.assertIn(f"--seed=2 --workdir={self.folder}/runs/table1/alexnet/plain/seed_2", text)
        self.assertIn("A made-up processor", text)
        self.assertIn("| single/mlp_1x512/plain/seed_0 | done |", text)
        self.assertIn("arXiv 1611.03530", text)

    def test_names_cannot_break_the_page(self):
        plan = made.plan("<b>net", "plain|&<i>")
        folder = made.sweep(self.folder / "runs", "own", [plan])
        made.run(folder, plan, made.rows(4, (1.0, 0.5)), device="<script>alert(1)</script>")
        report.write(self.folder / "runs", self.folder / "out")
        html = (self.folder / "out" / "index.html").read_text()
        self.assertNotIn("<script", html)
        self.assertNotIn("<b>", html)
        self.assertNotIn("<i>", html)
        self.assertIn("&lt;script&gt;", html)

    def test_an_unwritable_output_is_told(self):
        made.all_kinds(self.folder / "runs")
        (self.folder / "file").write_text("")
        with self.assertRaisesRegex(UserError, "file cannot be written .*Name another with --output"):
            report.write(self.folder / "runs", self.folder / "file")

    def test_a_new_paper_result_is_one_module(self):
        (self.folder / "table9.py").write_text(TABLE9)
        self.one_cell("table9", "mlp_1x512", "plain", (0.5, 0.52))
        code = "import sys, table9; from rethink_keras.commands import report; sys.exit(report.main())"
        flags = [f"--workdir={self.folder}", f"--output={self.folder}/out"]
        path = os.pathsep.join([str(self.folder), str(ROOT)])
        done = subprocess.run(
            [sys.executable, "-c", code, *flags],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=True,
        )
        self.assertNotIn("Note:", done.stdout)
        text = (self.folder / "out" / "report.md").read_text()
        self.assertIn("## Table 9", text)
        self.assertIn("| MLP 1×512 | 49.00 | 49.00 ± 1.41 | 0.00 | yes | 2 of 2 |", text)
        self.assertTrue((self.folder / "out" / "figures" / "table9.png").exists())

    def test_tensorflow_is_not_needed(self):
        code = (
            "import sys; from rethink_keras.commands import report; from rethink_keras.reports import report as r;"
            "print(sorted({'tensorflow', 'keras', 'gin'} & set(sys.modules)))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        self.assertEqual(done.stdout, "[]\n")


if __name__ == "__main__":
    absltest.main()
