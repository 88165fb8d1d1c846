import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras.commands import sweep as command
from rethink_keras.experiments.run_process import LOG
from rethink_keras.experiments.sweeps.manifest import Manifest
from tests.commands.in_process import main
from tests.experiments.small_sweeps import page, results, start_sweep, sweep, wait_for_rows, write_gin

RUNS = ["mlp/plain/seed_0", "mlp/random_labels/seed_0"]
LONG = ("train.epochs = 30",)  # some seconds
OVERLAY = "sweep.overlays = ['with/weight_decay.gin']"


class SweepCommandTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.gin_file = write_gin(cls.folder, OVERLAY, bindings=LONG)
        cls.whole = cls.folder / "whole"
        # In a folder that has gin files of the project's names.
        decoy = cls.folder / "gin" / "with" / "weight_decay.gin"
        decoy.parent.mkdir(parents=True)
        decoy.write_text("regularization.weight_decay = 0.5\n")
        cls.code, cls.out, cls.err = sweep(Path("sweep.gin"), Path("whole"), cwd=cls.folder)
        cls.expected = results(cls.whole)
        cls.page = page(cls.whole)

    def test_makes_all_runs_and_says_so(self):
        self.assertEqual((self.code, self.err), (0, ""))
        self.assertEqual(list(self.expected), RUNS)
        self.assertIn("2 runs in whole, 0 of them ended.", self.out)
        self.assertRegex(
            self.out, r"mlp/plain/seed_0: \d+ s, 30 epochs, train \d+\.\d\d%, test \d+\.\d\d%.*\[\d done"
        )
        self.assertIn("All 2 runs are done.", self.out)
        self.assertEqual(json.loads((self.whole / "sweep.json").read_text())["title"], "MLPs on digits")

    def test_a_sweep_makes_what_it_has_planned_in_whatever_folder(self):
        planned = {run.name: run.fingerprint for run in Manifest.read(self.whole).runs}
        made = {
            name: json.loads((self.whole / name / "summary.json").read_text())["configuration"]
            for name in RUNS
        }
        self.assertEqual(made, planned)
        self.assertIn(
            "regularization.weight_decay = 'default'", (self.whole / RUNS[0] / "config.gin").read_text()
        )

    def test_makes_only_what_is_missing(self):
        folder = Path(self.create_tempdir())
        there = folder / "copy"
        shutil.copytree(self.whole, there)
        shutil.rmtree(there / RUNS[1])
        before = (there / RUNS[0] / LOG).read_text()
        code, out, _ = sweep(self.gin_file, there)
        self.assertEqual(code, 0)
        self.assertIn("1 of them ended", out)
        self.assertEqual((there / RUNS[0] / LOG).read_text(), before)
        self.assertEqual(results(there), self.expected)

    def test_sigterm_saves_and_the_same_command_goes_on(self):
        folder = Path(self.create_tempdir())
        process = start_sweep(self.gin_file, folder / "s")
        wait_for_rows(folder / "s" / RUNS[0], 2)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate()
        self.assertEqual(process.returncode, 143)
        self.assertRegex(err, r"^Stopped; .* saved. \d of 2 runs are left: the same command resumes.\n$")
        self.assertEqual(sweep(self.gin_file, folder / "s")[0], 0)
        self.assertEqual(results(folder / "s"), self.expected)
        self.assertEqual(page(folder / "s"), self.page)

    def test_killed_sweep_and_killed_run(self):
        folder = Path(self.create_tempdir())
        process = start_sweep(self.gin_file, folder / "s")
        wait_for_rows(folder / "s" / RUNS[0], 2)
        process.kill()
        process.communicate()
        process = start_sweep(self.gin_file, folder / "s")
        wait_for_rows(folder / "s" / RUNS[1], 2)
        listed = subprocess.run(
            ["pgrep", "-f", f"train.*{folder / 's' / RUNS[1]}"], capture_output=True, text=True
        )
        for pid in listed.stdout.split():
            os.kill(int(pid), signal.SIGKILL)
        process.communicate()
        self.assertEqual(process.returncode, 0)
        self.assertEqual(results(folder / "s"), self.expected)
        self.assertEqual(page(folder / "s"), self.page)

    def test_a_run_that_fails_stops_no_other(self):
        folder = Path(self.create_tempdir())
        path = write_gin(folder)
        text = path.read_text().replace("\"randomization.labels = 'random'\"", "'train.learning_rate = 1e25'")
        path.write_text(text)
        code, out, err = sweep(path, folder / "s")
        self.assertEqual(code, 7)
        self.assertStartsWith(err, "1 of 2 runs failed; the others are done.")
        self.assertIn("mlp/random_labels/seed_0: The loss is not finite", err)
        self.assertIn("mlp/plain/seed_0: ", out)
        code, out, err = sweep(path, folder / "s")
        self.assertEqual(code, 7)
        self.assertIn("2 of them ended", out)
        self.assertIn("mlp/random_labels/seed_0: diverged earlier", err)

    def test_dry_run_lists_costs(self):
        code, out, _ = main(command, f"--gin_file={self.gin_file}", f"--workdir={self.whole}", "--dry_run")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"mlp/plain/seed_0 +done +30 +9,000\n")
        self.assertRegex(out, r"2 runs +18,000\n")
        self.assertIn(
            "bin/train --gin_file=gin/with/weight_decay.gin --gin_param=\"dataset.name = 'digits'\"", out
        )

    def test_dry_run_connects_to_no_cluster(self):
        bindings = ("sweep.engine = 'ray'", "ray.address = '127.0.0.1:1'", "ray.gpus_per_run = 0.5")
        flags = [f"--gin_param={binding}" for binding in bindings]
        there = f"--workdir={Path(self.create_tempdir()) / 's'}"
        code, out, err = main(command, f"--gin_file={self.gin_file}", there, *flags, "--dry_run")
        self.assertEqual((code, err), (0, ""))
        self.assertNotIn("--threads=", out)
        self.assertIn("cluster", out)

    def test_bad_input(self):
        code, _, err = main(command)
        self.assertEqual(code, 2)
        self.assertStartsWith(err, "The sweep has no runs.")
        code, _, err = main(command, f"--gin_file={self.gin_file}", "--gin_param=local.jobs = 0", "--dry_run")
        self.assertEqual(code, 2)
        self.assertStartsWith(err, "local.jobs is 0.")
        code, _, err = main(command, "--help")
        self.assertEqual(code, 0)

    @parameterized.parameters(
        "local.jobs = 2147483647",
        "mlp/group.network = '..'",
        "mlp/group.axes = [{'corruption_1e999': []}]",
        "sweep.overlays = ['train.epochs = 0']",
    )
    def test_bad_bindings(self, binding):
        for more in ((), ("--dry_run",)):
            folder = Path(self.create_tempdir())
            there = folder / "s"
            flags = (f"--gin_file={self.gin_file}", f"--gin_param={binding}", f"--workdir={there}")
            code, _, err = main(command, *flags, *more)
            self.assertEqual(code, 2)
            self.assertNotIn("should not have happened", err)
            self.assertEqual(list(folder.iterdir()), [])

    def test_an_unknown_paper_result_is_an_error(self):
        flags = (f"--gin_file={self.gin_file}", "--gin_param=sweep.paper_result = 'table9'", "--dry_run")
        code, _, err = main(command, *flags)
        self.assertEqual(code, 2)
        self.assertRegex(err, "sweep.paper_result is 'table9'.*'table1'.*'own'")

    def test_bad_folders(self):
        folder = Path(self.create_tempdir())
        (folder / "file").write_text("")
        for name in ("x" * 300, "file", "file/s", "new/" + "x" * 300):
            code, _, err = main(command, f"--gin_file={self.gin_file}", f"--workdir={folder / name}")
            self.assertEqual(code, 2, name)
            self.assertIn("--workdir", err)

    def test_damaged_files_of_a_sweep(self):
        folder = Path(self.create_tempdir())
        there = folder / "copy"
        shutil.copytree(self.whole, there)
        flags = (f"--gin_file={self.gin_file}", f"--workdir={there}", "--dry_run")
        summary = there / RUNS[0] / "summary.json"
        summary.write_text(summary.read_text().replace('"done"', '["done"]'))
        code, out, err = main(command, *flags)
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(out, r"mlp/plain/seed_0 +damaged")
        (there / "sweep.json").write_text(json.dumps({"format": 1, "runs": []}))
        code, _, err = main(command, *flags)
        self.assertEqual(code, 2)
        self.assertIn("sweep.json is damaged", err)

    def test_fewer_seeds_take_nothing_away(self):
        folder = Path(self.create_tempdir())
        there = folder / "copy"
        shutil.copytree(self.whole, there)
        flags = (f"--gin_file={self.gin_file}", f"--workdir={there}", "--dry_run")
        axes = "--gin_param=mlp/group.axes = [{'': []}]"
        self.assertIn("keeps 1 more", main(command, *flags, axes)[1])
        code, out, _ = main(command, *flags[:2], axes)
        self.assertEqual(code, 0)
        self.assertIn("keeps 1 more", out)
        self.assertLen(Manifest.read(there).runs, 2)
        self.assertEqual(main(command, *flags[:2], axes, "--replace")[0], 0)
        self.assertLen(Manifest.read(there).runs, 1)

    def test_the_reader_of_the_output_goes_away(self):
        folder = Path(self.create_tempdir())
        path = write_gin(folder, "local.jobs = 1", "sweep.seeds = [0, 1, 2]")
        process = start_sweep(path, folder / "s")
        process.stdout.readline()
        process.stdout.close()
        self.assertEqual(process.wait(), 141)
        self.assertEqual(process.stderr.read(), "")
        process.stderr.close()
        runs = Manifest.read(folder / "s").runs
        self.assertFalse((folder / "s" / runs[-1].name).exists())


@absltest.skipUnless(
    sys.platform == "linux" and os.geteuid() == 0, "mounting a small disk takes root on Linux"
)
class FullDiskTest(absltest.TestCase):
    def test_a_full_disk_is_told_and_the_same_command_goes_on(self):
        folder = Path(self.create_tempdir())
        path = write_gin(folder, bindings=("train.epochs = 6",))
        self.assertEqual(sweep(path, folder / "whole")[0], 0)
        disk = folder / "disk"
        disk.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", disk], capture_output=True
        )
        if mounted.returncode:
            self.skipTest("no small disk can be mounted here")
        try:
            code, _, err = sweep(path, disk / "s")
            self.assertEqual(code, 7)
            self.assertIn("No space left on device", err)
            subprocess.run(["mount", "-o", "remount,size=100m", disk], check=True)
            self.assertEqual(sweep(path, disk / "s")[0], 0)
            self.assertEqual(results(disk / "s"), results(folder / "whole"))
            self.assertEqual(page(disk / "s"), page(folder / "whole"))
        finally:
            subprocess.run(["umount", "-l", disk], check=True)


if __name__ == "__main__":
    absltest.main()
