import errno
import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from unittest import mock

from absl.testing import absltest, parameterized

from rethink_keras.errors import DamagedError, DiskError, UserError
from rethink_keras.system.files import write_atomically
from rethink_keras.system.locks import LOCK
from rethink_keras.workdir.workdir import Workdir, default_workdir
from tests.workdir import made_runs
from tests.workdir.made_runs import row, write_run


class FolderTestCase(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())


class WritingTest(FolderTestCase):
    def test_a_failed_write_leaves_the_old_file_and_nothing_else(self):
        write_atomically(self.folder / "file", b"old")
        full = OSError(28, "No space left on device")
        with mock.patch.object(os, "fsync", side_effect=full), self.assertRaises(OSError):
            write_atomically(self.folder / "file", b"new")
        self.assertEqual((self.folder / "file").read_bytes(), b"old")
        self.assertLen(list(self.folder.iterdir()), 1)

    def test_what_a_kill_left_is_removed(self):
        workdir = Workdir(self.folder)
        workdir.checkpoints.mkdir()
        (workdir.checkpoints / ".epoch-00001-step-0000000.npz.123.tmp").write_bytes(b"half")
        (self.folder / ".model.host.1.abcd.tmp.keras").write_bytes(b"half")
        with workdir.locked():
            self.assertEmpty(list(workdir.checkpoints.iterdir()))
            self.assertCountEqual([p.name for p in self.folder.iterdir()], [LOCK, "checkpoints"])

    @parameterized.parameters("file", "file/run", "x" * 300)
    def test_a_path_that_is_no_folder_is_bad_usage(self, path):
        (self.folder / "file").write_text("")
        with self.assertRaisesRegex(UserError, "cannot be written .*--workdir") as caught:
            Workdir(self.folder / path).locked().__enter__()
        self.assertEqual(caught.exception.exit_code, 2)

    def test_one_process_a_workdir(self):
        code = (
            "import sys; from rethink_keras.workdir.workdir import Workdir\n"
            "from rethink_keras.errors import UserError\n"
            "try:\n"
            "    with Workdir(sys.argv[1]).locked(): print('held')\n"
            "except UserError as error: print(error.sentence)\n"
            "assert 'tensorflow' not in sys.modules\n"
        )

        def other_process():
            command = [sys.executable, "-c", code, str(self.folder)]
            root = Path(__file__).parents[2]
            return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout

        with Workdir(self.folder).locked():
            self.assertIn("--workdir", other_process())
        self.assertEqual(other_process(), "held\n")

    def test_a_worker_that_does_not_write(self):
        workdir = Workdir(self.folder / "run", writes=False)
        with workdir.locked():
            workdir.write_configuration("")
            workdir.write_metrics([])
            workdir.write_summary({})
            workdir.check_configuration("train.epochs = 1")
        self.assertFalse(workdir.path.exists())

    def test_default_workdir(self):
        self.assertEqual(default_workdir(["gin/table1_mlp.gin", "gin/with/x.gin"]), Path("runs/table1_mlp+x"))


class CheckConfigurationTest(FolderTestCase):
    def setUp(self):
        super().setUp()
        self.workdir = Workdir(self.folder)
        self.workdir.write_configuration("train.epochs = 3\n")

    def test_the_same(self):
        self.workdir.check_configuration("# Parameters for train:\ntrain.epochs = 3\n")
        self.workdir.check_configuration("train.epochs = 3\ntrain.moons = 0\n", ["train.moons"])

    def test_another(self):
        with self.assertRaisesRegex(UserError, r"(?s)--workdir.*--overwrite.*\+train.moons = 0"):
            self.workdir.check_configuration("train.epochs = 3\ntrain.moons = 0\n")

    def test_config_gin_that_is_no_text(self):
        self.workdir.config.write_bytes(b"\xff")
        with self.assertRaisesRegex(UserError, "config.gin is no text.*--workdir"):
            self.workdir.check_configuration("train.epochs = 3\n")


class ReadToResumeTest(FolderTestCase):
    @parameterized.parameters("{", "[]", '{"status": ["done"]}', '{"epochs": 3}', "[" * 100_000)
    def test_damaged_summary(self, text):
        (self.folder / "summary.json").write_text(text)
        with self.assertRaisesRegex(UserError, "summary.json is damaged"):
            Workdir(self.folder).read_summary()

    def test_no_files(self):
        workdir = Workdir(self.folder)
        self.assertIsNone(workdir.read_summary())
        self.assertEqual((workdir.read_configuration(), workdir.read_failure()), ("", ""))
        with self.assertRaises(DamagedError):
            workdir.read_metrics()

    @parameterized.parameters(errno.EACCES, errno.EIO)
    def test_what_cannot_be_read_is_not_damaged(self, number):
        workdir = write_run(self.folder)
        failing = mock.patch.object(Path, "open", side_effect=OSError(number, "x"))
        for read in (workdir.read_summary, workdir.read_metrics, workdir.read_configuration):
            with failing, self.assertRaises(DiskError):
                read()
        with failing:
            self.assertEqual(workdir.read().status, "damaged")

    def test_rows_are_compared_as_the_file_has_them(self):
        rows = [row(1), row(2, moons=1, note="1e3", clear=True, none=None)]
        workdir = write_run(self.folder, "done", rows)
        self.assertNotEqual(workdir.read_metrics(), rows)
        self.assertTrue(workdir.has_metrics(rows))
        self.assertFalse(workdir.has_metrics([row(1), row(2, 0.9)]))

    def test_lacking(self):
        workdir = write_run(self.folder)
        self.assertEqual(workdir.lacking(), {"model.keras": "missing"})
        with zipfile.ZipFile(workdir.model, "w") as archive:
            archive.writestr("weights", "0" * 99)
        self.assertEqual(workdir.lacking(), {})
        workdir.write_metrics([row(1)])
        workdir.model.write_bytes(workdir.model.read_bytes()[:50])
        self.assertCountEqual(workdir.lacking(), ["metrics.csv", "model.keras"])


class ReadTest(FolderTestCase):
    def test_a_run(self):
        record = write_run(self.folder, "interrupted", [row(1), row(2)]).read()
        self.assertEqual((record.status, record.trouble, record.epochs), ("interrupted", "", 2))
        self.assertEqual(record.config, "train.epochs = 3")
        self.assertEqual(record.summary["model"], "mlp")
        self.assertEqual(record.folder, self.folder)

    def test_nothing(self):
        for place in (self.folder, self.folder / "none"):
            self.assertEqual((Workdir(place).read().status, Workdir(place).read().rows), ("missing", ()))

    def test_a_run_of_an_earlier_version(self):
        write_run(self.folder)
        path = self.folder / "metrics.csv"
        lines = [line.split(",") for line in path.read_text().splitlines()]
        at = lines[0].index("seconds")
        path.write_text("".join(",".join(cells[:at] + cells[at + 1 :]) + "\n" for cells in lines))
        workdir = Workdir(self.folder)
        record = workdir.read()
        self.assertEqual((record.status, record.epochs, record.seconds), ("done", 3, 0.0))
        # Resumed by this version, which has the column and one that is new.
        rows = [*workdir.read_metrics(), row(4, seconds=2.0, weight_norm=5.0)]
        write_run(self.folder, "done", rows)
        record = workdir.read()
        self.assertEqual((record.status, record.epochs, record.seconds), ("done", 4, 2.0))
        self.assertNotIn("weight_norm", record.rows[2])
        self.assertEqual(record.rows[3]["weight_norm"], 5.0)

    def test_a_run_of_a_later_version(self):
        rows = [row(k, curvature="flat", moons=k / 2) for k in (1, 2)]
        record = write_run(self.folder, "done", rows, planets={"mars": 1}).read()
        self.assertEqual((record.status, record.trouble), ("done", ""))
        self.assertEqual((record.rows[1]["curvature"], record.rows[1]["moons"]), ("flat", 1.0))
        self.assertEqual(record.summary["planets"], {"mars": 1})

    @parameterized.parameters(
        ("summary.json", b"{", "summary.json is no JSON"),
        ("summary.json", b'{"status": "done"}', "lacks"),
        ("metrics.csv", b"epoch,seconds\n1,1\n", "no column"),
        ("metrics.csv", b"", "cut off"),
        ("config.gin", b"\xff", "config.gin is no text"),
        ("config.gin", None, "has no config.gin"),
        ("metrics.csv", None, "ends with epoch 0, but summary.json says 3"),
        ("failed.txt", b"\xff", "failed.txt is no text"),
    )
    def test_damaged(self, name, content, words):
        workdir = write_run(self.folder)
        path = self.folder / name
        path.unlink() if content is None else path.write_bytes(content)
        record = workdir.read()
        self.assertEqual((record.status, record.summary, record.rows), ("damaged", {}, ()))
        self.assertIn(words, record.trouble)

    @parameterized.parameters("config.gin", "metrics.csv", "summary.json", "failed.txt")
    def test_other_things_than_files(self, name):
        workdir = write_run(self.folder)
        path = self.folder / name
        for make in (path.mkdir, lambda: os.mkfifo(path), lambda: path.symlink_to(path)):
            path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
            make()
            with self.subTest(stat.filemode(path.lstat().st_mode)):
                self.assertEqual(workdir.read().status, "damaged")
                self.assertIn(name, workdir.read().trouble)

    @parameterized.parameters(
        ("running", "failed"), ("interrupted", "failed"), ("done", "done"), ("diverged", "diverged")
    )
    def test_a_failure_counts_unless_the_run_has_ended(self, status, expected):
        workdir = write_run(self.folder, status)
        workdir.failure.write_text("Killed by\x1b signal 9.\n")
        record = workdir.read()
        self.assertEqual(record.status, expected)
        self.assertEqual(record.trouble, "Killed by\\x1b signal 9." if expected == "failed" else "")
        self.assertEqual(workdir.read_failure(), "Killed by\\x1b signal 9.")

    def test_a_run_that_could_not_start(self):
        Workdir(self.folder).failure.write_text("")
        self.assertEqual(Workdir(self.folder).read().status, "failed")

    def test_an_experiment_without_training(self):
        workdir = Workdir(self.folder)
        workdir.write_configuration("kernel.scale = 1\n")
        workdir.write_metrics([{"scale": 1, "error": 0.5}])
        workdir.write_summary({"status": "done", "cpu_seconds": 1.0, "final": {"error": None}})
        record = workdir.read()
        self.assertEqual((record.status, record.rows, record.is_training), ("done", (), False))

    def test_made_runs_are_whole(self):
        self.assertEqual(made_runs.write_run(self.folder, "running", []).read().status, "running")


if __name__ == "__main__":
    absltest.main()
