import functools
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from unittest import mock

import filelock
from absl.testing import absltest

from benchmarks import kill_sweeps, stub_run
from rethink_keras.experiments import run_process
from rethink_keras.experiments.run_process import Job, run_job
from rethink_keras.experiments.sweeps.manifest import FAILURE
from rethink_keras.system import signals
from rethink_keras.system.locks import LOCK
from tests.experiments.small_sweeps import wait_for_rows
from tests.experiments.stub_runs import ENDLESS, status, stub_job, wait_for
from tests.experiments.sweeps.manifest_test import planned
from tests.training.small_runs import SMALL, new_folder

ROOT = Path(__file__).parents[2]
SLOW = ("train.epochs = 4000", "evaluation.train_metrics = 'running_average'")


def job(workdir, *bindings, retries=0, **environment):
    params = [f"--gin_param={binding}" for binding in (*SMALL, *bindings)]
    return Job("a run", workdir, (*params, f"--workdir={workdir}"), retries, environment)


class RunJobTest(absltest.TestCase):
    def test_makes_a_run_and_keeps_what_it_said(self):
        with new_folder() as folder:
            outcome = run_job(job(folder), threading.Event())
            self.assertEqual((outcome.exit_code, outcome.attempts, outcome.sentence), (0, 1, ""))
            self.assertIn("003: Acc-tr:", (folder / run_process.LOG).read_text())

    def test_a_mistake_is_told_and_not_tried_again(self):
        with new_folder() as folder:
            outcome = run_job(job(folder, "train.batch_size = 0", retries=3), threading.Event())
            self.assertEqual((outcome.exit_code, outcome.attempts), (2, 1))
            self.assertStartsWith(outcome.sentence, "train.batch_size is 0.")
            self.assertIn("train.batch_size is 0.", (folder / run_process.LOG).read_text())
            self.assertEqual((folder / FAILURE).read_text(), outcome.sentence + "\n")
            run_job(stub_job(folder), threading.Event())
            self.assertFalse((folder / FAILURE).exists())

    def test_a_killed_run_is_tried_again_and_resumes(self):
        with new_folder() as folder:

            def kill():
                wait_for(lambda: len(stub_run.checkpoints(folder)) > 1)
                listed = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True)
                os.kill(int(listed.stdout.split()[0]), signal.SIGKILL)

            killer = threading.Thread(target=kill)
            killer.start()
            outcome = run_job(
                stub_job(folder, "--epochs=100", "--seconds=0.02", retries=2), threading.Event()
            )
            killer.join()
            self.assertEqual((outcome.exit_code, outcome.attempts), (0, 2))

    def test_a_signal_without_a_name(self):
        with new_folder() as folder:
            program = folder / "program.py"
            program.write_text("import os; os.kill(os.getpid(), 35)")
            outcome = run_job(Job("a run", folder, (), program=program), threading.Event())
        self.assertEqual(outcome.exit_code, -35)
        self.assertIn("signal 35", outcome.sentence)

    def test_what_cannot_be_mended_is_tried_so_often(self):
        with new_folder() as folder:
            # Python finds no library and exits with 1
            broken = stub_job(folder, retries=1, environment={"PYTHONHOME": str(folder)})
            outcome = run_job(broken, threading.Event())
        self.assertEqual((outcome.exit_code, outcome.attempts), (1, 2))

    def test_stopping_saves(self):
        with new_folder() as folder:
            stopping = threading.Event()
            threading.Thread(target=lambda: (wait_for_rows(folder, 1), stopping.set())).start()
            outcome = run_job(job(folder, *SLOW, retries=3), stopping)
            self.assertEqual((outcome.exit_code, outcome.attempts), (143, 1))
            self.assertIn("and saved", outcome.sentence)

    def test_nothing_is_begun_once_stopping(self):
        with new_folder() as folder, filelock.FileLock(folder / LOCK):
            stopping = threading.Event()
            outcome = run_job(stub_job(folder, retries=3), stopping, lambda _: stopping.set())
            self.assertEqual((outcome.exit_code, outcome.attempts), (143, 1))
            self.assertEqual(status(folder), "")

    def test_a_folder_that_cannot_be_written(self):
        with new_folder() as folder:
            (folder / "file").write_text("")
            outcome = run_job(stub_job(folder / "file" / "run"), threading.Event())
        self.assertEqual(outcome.exit_code, 5)
        self.assertIn("cannot be written", outcome.sentence)

    def test_a_run_of_another_configuration_than_planned_is_an_error(self):
        for made, exit_code in (("planned", 0), ("other", 2), ("", 0)):  # older summaries name none
            with new_folder() as folder:
                planned = stub_job(folder, f"--configuration={made}", retries=3, fingerprint="planned")
                outcome = run_job(planned, threading.Event())
                self.assertEqual((outcome.exit_code, outcome.attempts), (exit_code, 1))
                self.assertEqual(str(folder) in outcome.sentence, bool(exit_code))


class JobTest(absltest.TestCase):
    def test_names_the_same_in_whatever_folder(self):
        root = Path.cwd()
        with new_folder() as folder, mock.patch.dict(os.environ, TFDS_DATA_DIR="data"):
            try:
                os.chdir(folder)
                here = Path.cwd()
                planned_run = planned(gin_files=("gin/quickstart.gin",))
                made = Job.of(planned_run, Path("s"), retries=0, data_dir="data", environment={})
                kept = Job.of(planned_run, Path("s"), retries=0, data_dir="gs://b/data", environment={})
            finally:
                os.chdir(root)
        self.assertIn(f"--gin_file={ROOT / 'gin/quickstart.gin'}", made.arguments)
        self.assertIn(f"--workdir={here / 's' / planned_run.name}", made.arguments)
        self.assertIn(f"--data_dir={here / 'data'}", made.arguments)
        self.assertEqual(made.workdir, here / "s" / planned_run.name)
        self.assertEqual(made.environment["TFDS_DATA_DIR"], str(here / "data"))
        self.assertIn("--data_dir=gs://b/data", kept.arguments)


@absltest.skipUnless(sys.platform == "linux", "only Linux tells a process that its parent died")
class OrphanTest(absltest.TestCase):
    def test_killed_sweeps_leave_runs_that_save_and_resume(self):
        with new_folder() as folder, mock.patch.dict(kill_sweeps.LONGEST_SECONDS, stub=0.2):
            outcome = kill_sweeps.kill_and_check(folder, "stub", kills=3)
        self.assertEqual((outcome.kills, outcome.faults), (3, []))
        self.assertGreater(outcome.resumes, 0)

    def test_being_told_many_times_is_no_second_request(self):
        with new_folder() as folder:
            command = [sys.executable, stub_run.__file__, f"--workdir={folder}", *ENDLESS, "--megabytes=8"]
            process = subprocess.Popen(command)
            wait_for(lambda: stub_run.checkpoints(folder))
            for _ in range(20):
                process.send_signal(signals.ORPHANED)
                time.sleep(0.002)
            self.assertEqual(process.wait(), 128 + signal.SIGTERM)
            self.assertEqual(status(folder), "interrupted")

    def test_a_second_request_of_a_person_ends_at_once(self):
        request = signals.StopRequest()
        with mock.patch.object(os, "_exit") as exit_now:
            request.receive(signals.ORPHANED)
            request.receive(signals.ORPHANED)
            exit_now.assert_not_called()
            request.receive(signal.SIGTERM)
            exit_now.assert_called_once()

    def test_a_parent_that_has_died_before_it_could_be_watched(self):
        begin = functools.partial(run_process.end_with_parent, -1)
        child = subprocess.Popen([sys.executable, "-c", "print(1)"], preexec_fn=begin, stdout=subprocess.PIPE)
        self.assertEqual(child.communicate()[0], b"")
        self.assertGreater(child.returncode, 128)


if __name__ == "__main__":
    absltest.main()
