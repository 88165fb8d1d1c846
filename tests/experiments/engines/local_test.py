import threading
import time

import filelock
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.experiments.engines.local import Local
from rethink_keras.system.locks import LOCK
from tests.experiments.stub_runs import ENDLESS, StubEngine, status, stub_job, wait_for
from tests.training.small_runs import new_folder


def nothing(*_):
    """A callback."""


class Failure(Exception):
    """What a callback raises."""


class LocalTest(parameterized.TestCase):
    def run_jobs(self, jobs, at_once, tick=nothing, ended=nothing, say=nothing, stopping=None):
        engine = StubEngine(at_once=at_once)
        Local.run(engine, jobs, 1, stopping or threading.Event(), tick, ended, say)

    def test_makes_all_runs(self):
        outcomes = []
        with new_folder() as folder:
            self.run_jobs([stub_job(folder / name) for name in "abc"], 2, ended=outcomes.append)
        self.assertCountEqual([(o.name, o.exit_code) for o in outcomes], [("a", 0), ("b", 0), ("c", 0)])

    @parameterized.parameters("tick", "ended", "say")
    def test_a_failure_stops_and_saves_what_runs_and_starts_nothing_more(self, callback):
        with new_folder() as folder:

            def fail(*_):
                wait_for(lambda: status(folder / "endless") == "running")
                raise Failure

            first = stub_job(folder / "first")
            if callback == "say":  # said while another process holds the workdir
                first.workdir.mkdir()
                self.enter_context(lock(first.workdir))
            jobs = [
                first,
                stub_job(folder / "endless", *ENDLESS),
                *(stub_job(folder / f"{k}") for k in range(9)),
            ]
            with self.assertRaises(Failure):
                self.run_jobs(jobs, 2, **{callback: fail})
            self.assertEqual(status(folder / "endless"), "interrupted")
            self.assertFalse((folder / "8").exists())

    def test_a_run_that_cannot_be_started_is_a_failure_like_others(self):
        with (
            new_folder() as folder,
            absltest.mock.patch.object(threading.Thread, "start", side_effect=RuntimeError),
        ):
            stopping = threading.Event()
            with self.assertRaises(RuntimeError):
                self.run_jobs([stub_job(folder / "a")], 1, stopping=stopping)
            self.assertTrue(stopping.is_set())

    def test_stopping_saves(self):
        with new_folder() as folder:
            stopping = threading.Event()

            def tick():
                if status(folder / "a") == "running":
                    stopping.set()

            outcomes = []
            jobs = [stub_job(folder / name, *ENDLESS) for name in "ab"]
            self.run_jobs(jobs, 1, tick=tick, ended=outcomes.append, stopping=stopping)
            self.assertEqual([outcome.exit_code for outcome in outcomes], [143])
            self.assertEqual((status(folder / "a"), status(folder / "b")), ("interrupted", ""))

    def test_a_run_that_waits_says_so(self):
        said = []
        with new_folder() as folder:
            job = stub_job(folder / "a")
            job.workdir.mkdir()
            with lock(job.workdir) as held:
                end = time.monotonic() + 10

                def tick():
                    if said or time.monotonic() > end:
                        held.release()

                self.run_jobs([job], 1, tick=tick, say=said.append)
            self.assertEqual(status(job.workdir), "done")
        self.assertLen(said, 1)
        self.assertIn("a: another process", said[0])

    def test_no_more_places_than_runs(self):
        self.assertLen(Local(jobs=1000).places(1, 3), 3)
        self.assertLen(Local().places(0, 3), 1)  # each takes all cores

    @parameterized.parameters(0, 2**31 - 1, -1, True, "many")
    def test_how_many_at_once_has_a_range(self, jobs):
        with self.assertRaises(UserError):
            Local(jobs=jobs)


def lock(workdir):
    """What a process holds that trains in a workdir."""
    return filelock.FileLock(workdir / LOCK)


if __name__ == "__main__":
    absltest.main()
