import json
import shutil
from pathlib import Path
from unittest import mock

from absl.testing import absltest

import rethink_keras
from rethink_keras.errors import StoppedBySignalError
from rethink_keras.training import summary
from tests.training.small_runs import new_folder, run, sigterm_after_epoch, timeless

PACKAGE = Path(rethink_keras.__file__).parent


class CodeVersionTest(absltest.TestCase):
    def test_changes_with_the_sources_that_compute(self):
        with new_folder() as folder:
            copy = folder / "rethink_keras"
            shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
            before = summary.code_version(copy)
            self.assertEqual(before, summary.code_version())
            self.assertRegex(before, r"^0\.1\.0\+[0-9a-f]{12}$")
            for name in ("reports/learning_curves.py", "commands/train.py", "errors.py"):
                (copy / name).write_text("# other")
            self.assertEqual(summary.code_version(copy), before)
            seen = {before}
            for name in ("config.py", "data/sources.py", "models/mlp.py", "training/loop.py"):
                (copy / name).write_text((copy / name).read_text() + "# a comment\n")
                seen.add(summary.code_version(copy))
            (copy / "data" / "sources.py").rename(copy / "data" / "other.py")
            seen.add(summary.code_version(copy))
            self.assertLen(seen, 6)

    def test_another_version_goes_on_and_is_told(self):
        with new_folder() as folder:
            whole = run(folder / "whole")
            self.assertEqual(whole.summary["versions"]["rethink_keras"], summary.code_version())
            with self.assertRaises(StoppedBySignalError), sigterm_after_epoch():
                run(folder / "cut")
            with mock.patch.object(summary, "code_version", lambda: "0.1.0+another"):
                cut = run(folder / "cut")
            told = json.loads((folder / "cut" / "summary.json").read_text())
        self.assertEqual(timeless(cut.history), timeless(whole.history))
        self.assertEqual(told["versions"]["rethink_keras"], "0.1.0+another")


if __name__ == "__main__":
    absltest.main()
