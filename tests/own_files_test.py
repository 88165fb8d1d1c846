"""The gin files of one's own sweep and search, as they stand in the documents."""

import csv
import json
import re
from pathlib import Path

from absl.testing import absltest

from rethink_keras.commands import sweep, tune
from tests.commands.in_process import main

DOCS = Path(__file__).resolve().parents[1] / "docs"
FEW = "'train.epochs = 1', 'dataset.train_examples = 300'"


class OwnFilesTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())

    def written(self, page, name):
        """Writes the one gin file of a page, named `my_....gin` before the block that has it."""
        (text,) = re.findall(rf"`{name}`[^`]*?:\n\n```\n(.*?)^```$", (DOCS / page).read_text(), re.M | re.S)
        self.assertLessEqual(len([line for line in text.splitlines() if line]), 10)
        (self.folder / name).write_text(text)
        return f"--gin_file={self.folder / name}", f"--workdir={self.folder / 'runs'}"

    def run_command(self, command, *arguments):
        code, out, err = main(command, *arguments)
        self.assertEqual((code, err), (0, ""))
        return out

    def test_a_sweep(self):
        flags = self.written("sweeps_and_clusters.md", "my_sweep.gin")
        self.assertRegex(self.run_command(sweep, *flags, "--dry_run"), r"(?m)^4 runs ")
        self.run_command(sweep, *flags, f"--gin_param=sweep.overlays = [{FEW}]")
        manifest = json.loads((self.folder / "runs" / "sweep.json").read_text())
        self.assertEqual(manifest["title"], "Learning rates on digits")
        for run in manifest["runs"]:
            summary = json.loads((self.folder / "runs" / run["name"] / "summary.json").read_text())
            self.assertEqual(summary["status"], "done")

    def test_a_search(self):
        flags = self.written("searches.md", "my_search.gin")
        self.assertIn("Up to 4 trials, 80 epochs", self.run_command(tune, *flags, "--dry_run"))
        base = f"--gin_param=search.base = ['quickstart.gin', 'with/random_labels.gin', {FEW}]"
        self.run_command(tune, *flags, base, "--gin_param=search.trials = 2")
        with (self.folder / "runs" / "trials.csv").open() as file:
            trials = list(csv.DictReader(file))
        self.assertEqual([trial["status"] for trial in trials], ["done", "done"])
        self.assertTrue(all(float(trial["train.learning_rate"]) for trial in trials))


if __name__ == "__main__":
    absltest.main()
