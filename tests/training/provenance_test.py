import json
import shutil
from pathlib import Path
from unittest import mock

import numpy as np
from absl.testing import absltest

import rethink_keras
from rethink_keras.errors import StoppedBySignalError
from rethink_keras.training import provenance
from tests.training.small_runs import run, sigterm_after_epoch, timeless

PACKAGE = Path(rethink_keras.__file__).parent


class CodeVersionTest(absltest.TestCase):
    def test_changes_with_the_sources_that_compute(self):
        folder = Path(self.create_tempdir())
        copy = folder / "rethink_keras"
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
        before = provenance.code_version(copy)
        self.assertEqual(before, provenance.code_version())
        self.assertRegex(before, r"^0\.1\.0\+[0-9a-f]{12}$")
        for name in (
            "reports/page.py",
            "commands/train.py",
            "experiments/searches/chief.py",
            "errors.py",
        ):
            (copy / name).write_text("# other")
        self.assertEqual(provenance.code_version(copy), before)
        seen = {before}
        computing = (
            "config/__init__.py",
            "config/parsing.py",
            "data/splits.py",
            "models/mlp.py",
            "training/train.py",
        )
        for name in (*computing, "theory/solvers.py", "theory/features/features.py"):
            (copy / name).write_text((copy / name).read_text() + "# a comment\n")
            seen.add(provenance.code_version(copy))
        (copy / "data" / "splits.py").rename(copy / "data" / "other.py")
        seen.add(provenance.code_version(copy))
        self.assertLen(seen, 9)

    def test_every_version_that_computed_a_part_is_recorded(self):
        folder = Path(self.create_tempdir())
        whole = run(folder / "whole")
        here = whole.summary["versions"]
        self.assertEqual(here["rethink_keras"], provenance.code_version())
        self.assertEqual(whole.summary["computed_by"], [here])
        with self.assertRaises(StoppedBySignalError), sigterm_after_epoch():
            run(folder / "cut")
        another = mock.patch.object(provenance, "code_version", lambda: "0.1.0+another")
        with another, self.assertRaises(StoppedBySignalError), sigterm_after_epoch():
            run(folder / "cut")
        cut = run(folder / "cut")
        with mock.patch.object(provenance, "code_version", lambda: "0.1.0+third"):
            run(folder / "cut")  # it is done, so that this version computes nothing
        written = json.loads((folder / "cut" / "summary.json").read_text())
        self.assertEqual(timeless(cut.history), timeless(whole.history))
        self.assertEqual(written["versions"], here)
        self.assertEqual(written["computed_by"], [here, {**here, "rethink_keras": "0.1.0+another"}])

    def test_a_checkpoint_from_before_versions_were_recorded(self):
        folder = Path(self.create_tempdir())
        with self.assertRaises(StoppedBySignalError), sigterm_after_epoch():
            run(folder)
        (checkpoint,) = (folder / "checkpoints").glob("*.npz")
        with np.load(checkpoint) as archive:
            arrays = dict(archive)
        state = json.loads(arrays["state"].tobytes())
        del state["versions"]
        arrays["state"] = np.frombuffer(json.dumps(state).encode(), np.uint8)
        np.savez(checkpoint, **arrays)
        earlier = json.loads((folder / "summary.json").read_text())["versions"]
        with mock.patch.object(provenance, "code_version", lambda: "0.1.0+another"):
            resumed = run(folder)
        another = {**earlier, "rethink_keras": "0.1.0+another"}
        self.assertEqual(resumed.summary["computed_by"], [earlier, another])


if __name__ == "__main__":
    absltest.main()
