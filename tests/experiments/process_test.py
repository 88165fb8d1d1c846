import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import filelock
from absl.testing import absltest

from rethink_keras.experiments import process
from rethink_keras.experiments.manifest import FAILURE
from rethink_keras.experiments.process import Job, run_job
from rethink_keras.files import LOCK
from tests.experiments.small_sweeps import wait_for_rows
from tests.training.small_runs import SMALL, new_folder

ROOT = Path(__file__).parents[2]
SLOW = ("train.epochs = 4000", "evaluation.train_metrics = 'running_average'")
PARENT = """
import sys, threading
from pathlib import Path
from rethink_keras.experiments.process import Job, run_job
run_job(Job("slow", Path(sys.argv[1]), tuple(sys.argv[2:])), threading.Event())
"""


def job(workdir, *bindings, retries=0, **environment):
    params = [f"--gin_param={binding}" for binding in (*SMALL, *bindings)]
    return Job("a run", workdir, (*params, f"--workdir={workdir}"), retries, environment)


class RunJobTest(absltest.TestCase):
    def test_makes_a_run_and_keeps_what_it_said(self):
        with new_folder() as folder:
            outcome = run_job(job(folder), threading.Event())
            self.assertEqual((outcome.exit_code, outcome.attempts, outcome.sentence), (0, 1, ""))
            self.assertIn("003: Acc-tr:", (folder / process.LOG).read_text())

    def test_a_mistake_is_told_and_not_tried_again(self):
        with new_folder() as folder:
            outcome = run_job(job(folder, "train.batch_size = 0", retries=3), threading.Event())
            self.assertEqual((outcome.exit_code, outcome.attempts), (2, 1))
            self.assertStartsWith(outcome.sentence, "train.batch_size is 0.")
            self.assertIn("train.batch_size is 0.", (folder / process.LOG).read_text())
            self.assertEqual((folder / FAILURE).read_text(), outcome.sentence + "\n")
            run_job(job(folder), threading.Event())
            self.assertFalse((folder / FAILURE).exists())

    def test_a_killed_run_is_tried_again_and_goes_on(self):
        with new_folder() as folder:
            found = []

            def kill():
                wait_for_rows(folder, 2)
                listed = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True)
                found.extend(int(pid) for pid in listed.stdout.split())
                os.kill(found[0], signal.SIGKILL)

            killer = threading.Thread(target=kill)
            killer.start()
            outcome = run_job(job(folder, "train.epochs = 40", retries=2), threading.Event())
            killer.join()
            self.assertEqual((outcome.exit_code, outcome.attempts), (0, 2))
            self.assertIn("Going on in epoch", (folder / process.LOG).read_text())

    def test_what_cannot_be_mended_is_tried_so_often(self):
        with new_folder() as folder:
            broken = job(
                folder, retries=1, PYTHONHOME=str(folder)
            )  # Python finds no library and exits with 1
            outcome = run_job(broken, threading.Event())
        self.assertEqual((outcome.exit_code, outcome.attempts), (1, 2))

    def test_stopping_saves(self):
        with new_folder() as folder:
            stopping = threading.Event()
            threading.Thread(target=lambda: (wait_for_rows(folder, 1), stopping.set())).start()
            outcome = run_job(job(folder, *SLOW, retries=3), stopping)
            self.assertEqual((outcome.exit_code, outcome.attempts), (143, 1))
            self.assertIn("and saved", outcome.sentence)

    def test_waits_for_what_an_earlier_sweep_left_behind(self):
        with new_folder() as folder:
            lock = filelock.FileLock(folder / LOCK)
            lock.acquire()
            thread = threading.Thread(target=run_job, args=(job(folder), threading.Event()))
            thread.start()
            time.sleep(1)
            self.assertFalse((folder / process.LOG).exists())
            lock.release()
            thread.join()
            self.assertIn("Wrote", (folder / process.LOG).read_text())

    def test_a_folder_that_cannot_be_written(self):
        with new_folder() as folder:
            (folder / "file").write_text("")
            outcome = run_job(job(folder / "file" / "run"), threading.Event())
        self.assertEqual(outcome.exit_code, 5)
        self.assertIn("cannot be written", outcome.sentence)

    @absltest.skipUnless(sys.platform == "linux", "only Linux tells a process that its parent died")
    def test_a_run_ends_when_its_sweep_is_killed(self):
        with new_folder() as folder:
            arguments = job(folder, *SLOW).arguments
            command = [sys.executable, "-c", PARENT, str(folder), *arguments]
            parent = subprocess.Popen(command, cwd=ROOT)
            wait_for_rows(folder, 1)
            parent.kill()
            parent.wait()
            with filelock.FileLock(folder / LOCK, timeout=60):
                self.assertIn('"interrupted"', (folder / "summary.json").read_text())


if __name__ == "__main__":
    absltest.main()
