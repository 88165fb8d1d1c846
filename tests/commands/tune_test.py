import json
import shutil
import signal
import tempfile
from pathlib import Path

from absl.testing import absltest

from rethink_keras.commands import train
from rethink_keras.commands import tune as command
from rethink_keras.experiments.searches import remote
from tests.commands.in_process import main
from tests.experiments.searches.small_searches import free_port, start_tune, table, wait_for, write_gin
from tests.experiments.small_sweeps import wait_for_rows

LONG = ("train.epochs = 25",)  # some seconds


class TuneCommandTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.gin_file = write_gin(cls.folder, "local.jobs = 2", bindings=LONG)
        cls.whole = cls.folder / "whole"
        cls.code, cls.out, cls.err = main(command, f"--gin_file={cls.gin_file}", f"--workdir={cls.whole}")
        cls.table = table(cls.whole)

    def tune(self, folder, *more):
        return main(command, f"--gin_file={self.gin_file}", f"--workdir={folder}", *more)

    def test_makes_all_trials_and_shows_them(self):
        self.assertEqual((self.code, self.err), (0, ""))
        self.assertIn(f"Up to 3 trials in {self.whole}, 0 of them begun.", self.out)
        self.assertRegex(
            self.out, r"trial 000\d: 25 epochs, \d+ s, train \d+\.\d\d%.*\[3 done, 0 running, 0 left\]"
        )
        self.assertEqual(sorted(row["trial"] for row in self.table), ["0000", "0001", "0002"])
        self.assertEqual({row["status"] for row in self.table}, {"done"})
        accuracies = [float(row["score"]) for row in self.table]
        self.assertEqual(accuracies, sorted(accuracies, reverse=True))
        self.assertIn(f"| {self.table[0]['trial']} | done |", (self.whole / "trials.md").read_text())

    def test_the_best_trains_to_the_same_figures(self):
        best = self.whole / "best.gin"
        folder = Path(self.create_tempdir())
        code, _, err = main(train, f"--gin_file={best}", f"--workdir={folder}")
        self.assertEqual((code, err), (0, ""))
        final = json.loads((folder / "summary.json").read_text())["final"]
        self.assertEqual(str(final["train_accuracy"]), self.table[0]["score"])
        self.assertEqual(str(final["test_accuracy"]), self.table[0]["test_accuracy"])
        self.assertIn(f"# Command:   bin/train --gin_file={best}", best.read_text())

    def test_a_finished_search_repeats_nothing(self):
        logs = {path: path.read_text() for path in self.whole.glob("trials/*/train.log")}
        code, out, _ = self.tune(self.whole)
        self.assertEqual(code, 0)
        self.assertIn("3 of them begun", out)
        self.assertEqual({path: path.read_text() for path in self.whole.glob("trials/*/train.log")}, logs)
        self.assertEqual(table(self.whole), self.table)

    def test_sigterm_and_sigkill_and_going_on_give_the_same_table(self):
        folder = Path(self.create_tempdir())
        there = folder / "s"
        process = start_tune(self.gin_file, there)
        wait_for_rows(there / "trials" / "0000", 2)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate()
        self.assertEqual(process.returncode, 143)
        self.assertRegex(err, r"^Stopped; trials in progress saved. \d of up to 3 trials are begun: the same")
        process = start_tune(self.gin_file, there)
        wait_for_rows(there / "trials" / "0002", 2)
        process.kill()
        process.communicate()
        code, _, err = self.tune(there)
        self.assertEqual((code, err), (0, ""))
        self.assertEqual(table(there), self.table)
        self.assertIn("Resuming in epoch", (there / "trials" / "0000" / "train.log").read_text())

    def test_chief_and_two_workers_one_killed(self):
        folder = Path(self.create_tempdir())
        there = folder / "s"
        address = {"KERASTUNER_ORACLE_IP": "127.0.0.1", "KERASTUNER_ORACLE_PORT": str(free_port())}

        def start(name, *params):
            return start_tune(self.gin_file, there, *params, KERASTUNER_TUNER_ID=name, **address)

        chief, *workers = start("chief"), start("a", "local.jobs = 1"), start("b", "local.jobs = 1")
        runs = [there / "trials" / name for name in ("0000", "0001")]
        wait_for(lambda: all((run / "metrics.csv").exists() for run in runs), "two trials at work")
        workers[1].kill()
        out, err = chief.communicate()
        told, _ = workers[0].communicate()
        workers[1].communicate()
        self.assertEqual((chief.returncode, err, workers[0].returncode), (0, "", 0))
        self.assertEqual((there / remote.TOKEN).stat().st_mode & 0o777, 0o600)
        self.assertEqual(workers[1].returncode, -signal.SIGKILL)
        self.assertRegex(out, r"trial 000\d: its worker is lost")
        self.assertIn("The search is finished.", told)
        self.assertEqual(table(there), self.table)

    def test_another_search_in_the_folder_is_refused(self):
        code, _, err = self.tune(self.whole, "--gin_param=search.seed = 1")
        self.assertEqual(code, 2)
        self.assertStartsWith(err, f"{self.whole} contains another search.")
        folder = Path(self.create_tempdir())
        there = folder / "copy"
        shutil.copytree(self.whole, there)
        (there / "search.json").write_text("{}")
        code, _, err = self.tune(there)
        self.assertEqual(code, 2)
        self.assertIn("search.json is damaged", err)

    def test_a_torn_file_in_a_finished_trial(self):
        folder = Path(self.create_tempdir())
        there = folder / "copy"
        shutil.copytree(self.whole, there)
        torn = there / self.table[0]["workdir"] / "metrics.csv"
        torn.write_text(torn.read_text()[:-30])
        code, _, err = self.tune(there)
        self.assertEqual((code, err), (0, ""))
        rows = table(there)
        self.assertEqual([row["status"] for row in rows], ["done", "done", "damaged"])
        self.assertIn("metrics.csv", rows[-1]["failure"])
        self.assertIn(f"{self.table[1]['trial']}", (there / "best.gin").read_text())

    def test_bad_folders_and_numbers(self):
        folder = Path(self.create_tempdir())
        for name in ("x" * 300, "search.gin"):
            (folder / "search.gin").write_text("")
            code, _, err = self.tune(folder / name)
            self.assertEqual(code, 2)
            self.assertIn("--workdir", err)
        for binding in ("local.jobs = 2147483647", "search.trials = 0", "search.threads = 2147483647"):
            code, _, err = self.tune(folder / "s", f"--gin_param={binding}")
            self.assertEqual(code, 2)
            self.assertIn(binding.split()[0], err)
            self.assertFalse((folder / "s").exists())

    def test_failed_trials_count_as_failed(self):
        folder = Path(self.create_tempdir())
        path = write_gin(folder, "search.trials = 2", bindings=("train.learning_rate = 0.01",))
        path.write_text(path.read_text().replace("(0.001, 0.1)", "(1e24, 1e25)"))
        code, out, err = main(command, f"--gin_file={path}", f"--workdir={folder / 's'}")
        self.assertEqual(code, 7)
        self.assertStartsWith(err, "All 2 trials failed.")
        self.assertEqual([row["status"] for row in table(folder / "s")], ["failed", "failed"])
        self.assertIn("The loss is not finite", table(folder / "s")[0]["failure"])
        self.assertIn("2 failed", out)

    def test_dry_run_shows_the_space_and_costs(self):
        code, out, _ = self.tune(self.folder / "nowhere", "--dry_run")
        self.assertEqual(code, 0)
        self.assertIn("train.learning_rate  0.001 to 0.1, log-uniform", out)
        self.assertIn("Up to 3 trials, 75 epochs, 22,500 images", out)
        self.assertFalse((self.folder / "nowhere").exists())


if __name__ == "__main__":
    absltest.main()
