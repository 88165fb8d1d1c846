import dataclasses
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

from rethink_keras.errors import OutOfMemoryError
from rethink_keras.experiments import run_process
from rethink_keras.experiments.job import TRAIN, Job
from rethink_keras.experiments.run_process import run_job
from rethink_keras.system import signals
from rethink_keras.system.locks import LOCK
from rethink_keras.workdir.workdir import Workdir
from tests.experiments.small_sweeps import wait_for_rows
from tests.experiments.stub_runs import ENDLESS, PROGRAM, checkpoints, status, stub_job, wait_for
from tests.training.small_runs import SMALL

# As another run that shares the GPU ends meanwhile.
ONCE_OUT_OF_MEMORY = f"""
import pathlib, sys

tried = pathlib.Path(sys.argv[1].partition("=")[2]) / "tried"
if not tried.exists():
    tried.touch()
    print("No memory is left.", file=sys.stderr)
    sys.exit({OutOfMemoryError.default_exit_code})
"""
# `bin/train` with a limit of its memory: a system may promise more than it has.
WITH_64_GIGABYTES = f"""
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_AS, (2**36, 2**36))
sys.argv[0], sys.path[0] = {TRAIN[0]!r}, {str(Path(TRAIN[0]).parent)!r}
runpy.run_path(sys.argv[0], run_name="__main__")
"""
SLOW = ("train.epochs = 4000", "evaluation.train_metrics = 'running_average'")


def job(workdir, *bindings, retries=0, **environment):
    params = [f"--gin_param={binding}" for binding in (*SMALL, *bindings)]
    return Job("a run", workdir, (*params, f"--workdir={workdir}"), 1, retries, environment)


class RunJobTest(absltest.TestCase):
    def test_makes_a_run_and_keeps_what_it_said(self):
        folder = Path(self.create_tempdir())
        outcome = run_job(job(folder), threading.Event())
        self.assertEqual((outcome.exit_code, outcome.attempts, outcome.sentence), (0, 1, ""))
        self.assertIn("003: Acc-tr:", (folder / run_process.LOG).read_text())

    def test_a_mistake_is_told_and_not_tried_again(self):
        folder = Path(self.create_tempdir())
        outcome = run_job(job(folder, "train.batch_size = 0", retries=3), threading.Event())
        self.assertEqual((outcome.exit_code, outcome.attempts), (2, 1))
        self.assertStartsWith(outcome.sentence, "train.batch_size is 0.")
        self.assertIn("train.batch_size is 0.", (folder / run_process.LOG).read_text())
        self.assertEqual((folder / "failed.txt").read_text(), outcome.sentence + "\n")
        run_job(stub_job(folder), threading.Event())
        self.assertFalse((folder / "failed.txt").exists())

    def test_a_killed_run_is_tried_again_and_resumes(self):
        folder = Path(self.create_tempdir())

        def kill():
            wait_for(lambda: len(checkpoints(folder)) > 1)
            listed = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, text=True)
            os.kill(int(listed.stdout.split()[0]), signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        outcome = run_job(stub_job(folder, "--epochs=100", "--seconds=0.02", retries=2), threading.Event())
        killer.join()
        self.assertEqual((outcome.exit_code, outcome.attempts), (0, 2))

    def test_a_signal_without_a_name(self):
        folder = Path(self.create_tempdir())
        program = folder / "program.py"
        program.write_text("import os; os.kill(os.getpid(), 35)")
        outcome = run_job(Job("a run", folder, (), program=(str(program),)), threading.Event())
        self.assertEqual(outcome.exit_code, -35)
        self.assertIn("signal 35", outcome.sentence)

    def test_what_cannot_be_mended_is_tried_so_often(self):
        folder = Path(self.create_tempdir())
        # Python finds no library and exits with 1
        broken = stub_job(folder, retries=1, environment={"PYTHONHOME": str(folder)})
        outcome = run_job(broken, threading.Event())
        self.assertEqual((outcome.exit_code, outcome.attempts), (1, 2))

    def test_a_lack_of_memory_is_final_unless_the_gpu_is_shared(self):
        for shares_gpu, expected in ((False, (9, 1)), (True, (0, 2))):
            folder = Path(self.create_tempdir())
            program = folder / "program.py"
            program.write_text(ONCE_OUT_OF_MEMORY)
            flags = (f"--workdir={folder}",)
            lacking = Job("a run", folder, flags, retries=3, program=(str(program),), shares_gpu=shares_gpu)
            outcome = run_job(lacking, threading.Event())
            self.assertEqual((outcome.exit_code, outcome.attempts), expected)
            self.assertEqual(Workdir(folder).read_failure(), "" if shares_gpu else "No memory is left.")

    def test_a_network_that_does_not_fit_into_memory(self):
        folder = Path(self.create_tempdir())
        program = folder / "program.py"
        program.write_text(WITH_64_GIGABYTES)
        large = job(folder, "mlp.hidden = '1000000x1000000'", retries=3)
        outcome = run_job(dataclasses.replace(large, program=(str(program),)), threading.Event())
        self.assertEqual((outcome.exit_code, outcome.attempts), (9, 1))
        self.assertIn("memory", outcome.sentence)

    def test_stopping_saves(self):
        folder = Path(self.create_tempdir())
        stopping = threading.Event()
        threading.Thread(target=lambda: (wait_for_rows(folder, 1), stopping.set())).start()
        outcome = run_job(job(folder, *SLOW, retries=3), stopping)
        self.assertEqual((outcome.exit_code, outcome.attempts), (143, 1))
        self.assertIn("and saved", outcome.sentence)

    def test_nothing_is_begun_once_stopping(self):
        folder = Path(self.create_tempdir())
        with filelock.FileLock(folder / LOCK):
            stopping = threading.Event()
            outcome = run_job(stub_job(folder, retries=3), stopping, lambda _: stopping.set())
            self.assertEqual((outcome.exit_code, outcome.attempts), (143, 1))
            self.assertEqual(status(folder), "")

    def test_a_folder_that_cannot_be_written(self):
        folder = Path(self.create_tempdir())
        (folder / "file").write_text("")
        outcome = run_job(stub_job(folder / "file" / "run"), threading.Event())
        self.assertEqual(outcome.exit_code, 5)
        self.assertIn("cannot be written", outcome.sentence)

    def test_a_run_of_another_configuration_than_planned_is_an_error(self):
        for made, exit_code in (("planned", 0), ("other", 2), ("", 0)):  # older summaries name none
            folder = Path(self.create_tempdir())
            planned = stub_job(folder, f"--configuration={made}", retries=3, fingerprint="planned")
            outcome = run_job(planned, threading.Event())
            self.assertEqual((outcome.exit_code, outcome.attempts), (exit_code, 1))
            self.assertEqual(str(folder) in outcome.sentence, bool(exit_code))


@absltest.skipUnless(sys.platform == "linux", "only Linux tells a process that its parent died")
class OrphanTest(absltest.TestCase):
    def test_being_told_many_times_is_no_second_request(self):
        folder = Path(self.create_tempdir())
        command = [sys.executable, *PROGRAM, f"--workdir={folder}", *ENDLESS, "--megabytes=8"]
        process = subprocess.Popen(command)
        wait_for(lambda: checkpoints(folder))
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
