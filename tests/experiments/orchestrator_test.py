import threading
import time
from pathlib import Path

import filelock
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.experiments import orchestrator
from rethink_keras.experiments.display import Display
from rethink_keras.experiments.orchestrator import JobSource, leading, run_all
from rethink_keras.system.locks import LOCK
from rethink_keras.system.signals import StopRequest
from tests.experiments.stub_runs import (
    ENDLESS,
    CalledDisplay,
    StubEngine,
    run_jobs,
    status,
    stub_job,
    wait_for,
)


class Failure(Exception):
    pass


class RunAllTest(parameterized.TestCase):
    def test_runs_all_jobs(self):
        folder, outcomes = Path(self.create_tempdir()), []
        run_jobs([stub_job(folder / name) for name in "abc"], StubEngine(at_once=2), outcomes.append)
        self.assertCountEqual([(o.name, o.exit_code) for o in outcomes], [("a", 0), ("b", 0), ("c", 0)])

    @parameterized.parameters("update", "ended")
    def test_a_failure_stops_and_saves_what_runs_and_starts_nothing_more(self, where):
        folder = Path(self.create_tempdir())

        def fail(*_):
            wait_for(lambda: status(folder / "endless") == "running")
            raise Failure

        jobs = [
            stub_job(folder / "first"),
            stub_job(folder / "endless", *ENDLESS),
            *(stub_job(folder / f"{k}") for k in range(9)),
        ]
        with self.assertRaises(Failure):
            run_jobs(
                jobs,
                StubEngine(at_once=2),
                ended=fail if where == "ended" else lambda _: None,
                display=CalledDisplay(fail) if where == "update" else None,
            )
        self.assertEqual(status(folder / "endless"), "interrupted")
        self.assertFalse((folder / "8").exists())

    def test_a_thread_that_cannot_be_started_is_a_failure_like_others(self):
        stopping = threading.Event()
        with (
            absltest.mock.patch.object(threading.Thread, "start", side_effect=RuntimeError),
            self.assertRaises(RuntimeError),
        ):
            run_jobs([stub_job(Path(self.create_tempdir()) / "a")], StubEngine(), stopping=stopping)
        self.assertTrue(stopping.is_set())

    def test_stopping_saves_and_reports_no_outcome(self):
        folder, outcomes, stopping = Path(self.create_tempdir()), [], threading.Event()

        def stop():
            if status(folder / "a") == "running":
                stopping.set()

        jobs = [stub_job(folder / name, *ENDLESS) for name in "ab"]
        run_jobs(jobs, StubEngine(), outcomes.append, CalledDisplay(stop), stopping)
        self.assertEmpty(outcomes)
        self.assertEqual((status(folder / "a"), status(folder / "b")), ("interrupted", ""))

    def test_a_run_that_waits_says_so(self):
        folder = Path(self.create_tempdir())
        job = stub_job(folder / "a")
        job.workdir.mkdir()
        said = []
        with filelock.FileLock(job.workdir / LOCK) as held:
            end = time.monotonic() + 10

            def release():
                if said or time.monotonic() > end:
                    held.release()

            display = CalledDisplay(release)
            display.say = said.append
            run_jobs([job], StubEngine(), display=display)
        self.assertEqual(status(job.workdir), "done")
        self.assertLen(said, 1)
        self.assertIn("a: another process", said[0])

    def test_each_place_asks_the_source_until_there_is_none(self):
        folder, log = Path(self.create_tempdir()), []

        class Source(JobSource):
            def next_job(self, place, stopping):
                mine = [job for where, job in log if where == place]
                if len(mine) == 2:
                    return None
                job = stub_job(folder / f"{place}-{len(mine)}")
                log.append((place, job.name))
                return job

            def ended(self, job, outcome):
                log.append(("ended", job.name))

        run_all(Source(), StubEngine(at_once=2), Display(), StopRequest(), threads=1, most=4)
        names = ["0-0", "0-1", "1-0", "1-1"]
        self.assertCountEqual([name for where, name in log if where == "ended"], names)
        self.assertEqual([status(folder / name) for name in names], ["done"] * 4)


class LeadingTest(absltest.TestCase):
    def test_one_process_alone_leads(self):
        folder = Path(self.create_tempdir()) / "new"
        with leading(folder, "Wait for it."):
            self.assertTrue(folder.is_dir())
            with (
                self.assertRaisesRegex(UserError, "Wait for it"),
                orchestrator.leading(folder, "Wait for it."),
            ):
                pass


if __name__ == "__main__":
    absltest.main()
