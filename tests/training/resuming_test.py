import json
import os
import shutil
import tempfile
from pathlib import Path
from unittest import mock

import keras
import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.workdir.workdir import Workdir
from tests.training.small_runs import paused, run


def contents(folder):
    """The bytes of every file of a run but its lock, by name."""
    files = (p for p in folder.rglob("*") if p.is_file() and p.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def truncated(content):
    return content[:-7]


def changed(content):
    return content[:-7] + bytes([content[-7] ^ 1]) + content[-6:]


class DoneRunTest(parameterized.TestCase):
    """A run that is done loses files; it is completed or refused, and never trained again."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.whole = Path(folder.name) / "run"
        cls.result = run(cls.whole)

    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir()) / "run"
        shutil.copytree(self.whole, self.folder)
        # Whatever trains fails.
        self.enter_context(mock.patch.object(keras.Model, "fit", side_effect=AssertionError))

    def lose(self, name, damage):
        """Damages a file, or removes it; returns its path."""
        path = self.folder / name
        path.write_bytes(damage(path.read_bytes())) if damage else path.unlink()
        return path

    def assert_completed(self, *aside):
        """The same command returns the same result, and all files are as they were, but for some that are named."""

        def kept(folder):
            return {name: content for name, content in contents(folder).items() if not name.startswith(aside)}

        result = run(self.folder)
        self.assertEqual(result.history, self.result.history)
        self.assertEqual(result.summary, self.result.summary)
        self.assertEqual(kept(self.folder), kept(self.whole))

    def assert_refused(self, *words):
        before = contents(self.folder)
        with self.assertRaises(UserError) as caught:
            run(self.folder)
        self.assertEqual(caught.exception.exit_code, 2)
        for word in (*words, "--overwrite"):
            self.assertIn(word, caught.exception.sentence)
        self.assertEqual(contents(self.folder), before)

    def test_nothing_lost(self):
        before = {path: path.stat().st_mtime_ns for path in self.folder.iterdir() if path.is_file()}
        self.assert_completed()
        self.assertEqual({path: path.stat().st_mtime_ns for path in before}, before)

    @parameterized.parameters(None, truncated, changed, lambda content: b"", lambda content: b"\xff")
    def test_metrics_are_rebuilt(self, damage):
        self.lose("metrics.csv", damage)
        self.assert_completed()

    @parameterized.parameters(None, truncated, lambda content: b"")
    def test_model_is_rebuilt(self, damage):
        self.lose("model.keras", damage)
        self.assert_completed("model.keras")
        rebuilt, whole = (
            keras.models.load_model(folder / "model.keras") for folder in (self.folder, self.whole)
        )
        for ours, theirs in zip(rebuilt.weights, whole.weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)

    @parameterized.parameters(None, truncated)
    def test_summary_is_rebuilt(self, damage):
        path = self.lose("summary.json", damage)
        self.assertEqual(run(self.folder).history, self.result.history)
        rebuilt = json.loads(path.read_text())
        self.assertEqual({**rebuilt, "date": ""}, {**self.result.summary, "date": ""})

    def test_configuration_is_rebuilt_by_its_own_run_alone(self):
        (self.folder / "config.gin").unlink()
        with self.assertRaisesRegex(UserError, "another configuration"):
            run(self.folder, "train.seed = 1")
        self.assertFalse((self.folder / "config.gin").exists())
        self.assert_completed()

    @parameterized.parameters("checkpoints", "checkpoints/epoch-00003-step-0000000.npz")
    def test_lost_checkpoints_leave_it_done(self, lost):
        path = self.folder / lost
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.assert_completed(lost)

    @parameterized.parameters("metrics.csv", "model.keras", "config.gin")
    def test_lost_checkpoints_and_another_file_are_refused(self, name):
        (self.folder / name).unlink()
        shutil.rmtree(self.folder / "checkpoints")
        self.assert_refused(name)

    def test_damaged_checkpoints_are_refused(self):
        for path in (self.folder / "checkpoints").iterdir():
            path.write_bytes(b"")
        with self.assertRaisesRegex(UserError, "damaged.*--overwrite"), self.assertLogs(level="WARNING"):
            run(self.folder)
        self.assertEqual(
            (self.folder / "metrics.csv").read_bytes(), (self.whole / "metrics.csv").read_bytes()
        )

    def test_lost_checkpoints_and_a_damaged_summary_are_refused(self):
        (self.folder / "summary.json").write_text("{")
        shutil.rmtree(self.folder / "checkpoints")
        self.assert_refused("summary.json")


class ModelTest(absltest.TestCase):
    def test_the_model_is_on_disk_before_the_run_is_done(self):
        synced = []
        real = os.fsync

        def fsync(descriptor):
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            if path.is_file():
                synced.append(path.name)
            real(descriptor)

        folder = Path(self.create_tempdir())
        with mock.patch.object(os, "fsync", fsync):
            run(folder)
        written = [name for name in synced if name.startswith((".model.", ".summary."))]
        self.assertStartsWith(written[-2], ".model.")
        self.assertStartsWith(written[-1], ".summary.")


class LostCheckpointsTest(absltest.TestCase):
    def test_a_run_that_is_not_done_starts_again(self):
        folder = Path(self.create_tempdir())
        whole = run(folder)
        shutil.rmtree(folder / "checkpoints")
        told = json.loads((folder / "summary.json").read_text())
        (folder / "summary.json").write_text(json.dumps({**told, "status": "interrupted", "epochs": 2}))
        again = run(folder)
        self.assertEqual(again.summary["fingerprints"], whole.summary["fingerprints"])


class EarlierVersionTest(parameterized.TestCase):
    def test_rows_that_lack_columns_do_not_stop_a_run(self):
        folder = Path(self.create_tempdir()) / "run"
        paused(folder, 2)
        for path in (folder / "checkpoints").glob("*.npz"):
            with np.load(path) as archive:
                arrays = dict(archive)
            state = json.loads(arrays["state"].tobytes())
            for row in state["rows"]:
                row["moons"] = row.pop("penalty")
                del row["batch_norm"]
            np.savez(path, **{**arrays, "state": np.frombuffer(json.dumps(state).encode(), np.uint8)})
        run(folder)
        record = Workdir(folder).read()
        self.assertEqual((record.status, record.epochs), ("done", 3))
        self.assertEqual(
            [("penalty" in row, "moons" in row) for row in record.rows], [(False, True)] * 2 + [(True, False)]
        )


if __name__ == "__main__":
    absltest.main()
