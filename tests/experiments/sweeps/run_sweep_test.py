import contextlib
import io
from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras.errors import RunsFailedError, UserError
from rethink_keras.experiments.job import Outcome
from rethink_keras.experiments.orchestrator import leading
from rethink_keras.experiments.sweeps.manifest import Manifest
from rethink_keras.experiments.sweeps.run_sweep import run_sweep
from tests.experiments.planned_run_test import planned
from tests.experiments.stub_runs import ENDLESS, StubEngine, status, write_run
from tests.experiments.sweeps.manifest_test import manifest


def runs(count, **fields):
    """Planned runs that differ in their seeds."""
    return [planned(name=f"mlp/plain/seed_{k}", seed=k, **fields) for k in range(count)]


def make(sweep, folder, engine=None, **options):
    """Makes a sweep of stub runs; returns what was printed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        run_sweep(sweep, folder, engine or StubEngine(), retries=0, **options)
    return out.getvalue()


def configured(name):
    """Arguments of a stub run that names the fingerprint of `planned()`."""
    return ("--configuration=00",)


class HeadOfOneLine(io.StringIO):
    """An output whose reader goes away after the first line, as `head -1` does."""

    def write(self, text):
        """Writes, or raises BrokenPipeError."""
        if "\n" in self.getvalue():
            raise BrokenPipeError(32, "Broken pipe")
        return super().write(text)


class MakeTest(parameterized.TestCase):
    def test_makes_what_is_missing(self):
        folder = Path(self.create_tempdir())
        sweep = manifest(*runs(2))
        self.assertIn("All 2 runs are done", make(sweep, folder, StubEngine(configured)))
        self.assertIn("2 of them ended", make(sweep, folder, StubEngine(configured)))

    def test_a_done_run_that_has_lost_a_file_is_made_again_to_rebuild_it(self):
        folder = Path(self.create_tempdir())
        sweep = manifest(*runs(2))
        make(sweep, folder)
        lost = folder / "mlp/plain/seed_1" / "model.keras"
        lost.unlink()
        self.assertIn("1 of them ended", make(sweep, folder))
        self.assertTrue(lost.exists())

    def test_runs_that_are_not_named_any_more_stay_in_the_sweep(self):
        folder = Path(self.create_tempdir())
        make(manifest(*runs(3)), folder)
        out = make(manifest(*runs(1)), folder)
        self.assertIn("1 runs in", out)
        self.assertIn("2 more", out)
        self.assertEqual(Manifest.read(folder), manifest(*runs(3)))
        make(manifest(*runs(1)), folder, replace=True)
        self.assertEqual(Manifest.read(folder), manifest(*runs(1)))
        self.assertEqual(status(folder / "mlp/plain/seed_2"), "done")

    def test_only_what_is_asked_for_is_made(self):
        folder = Path(self.create_tempdir())
        manifest(*runs(3)).write(folder)
        make(manifest(*runs(1)), folder)
        self.assertEqual([status(folder / run.name) for run in runs(3)], ["done", "", ""])

    def test_the_reader_of_the_output_goes_away(self):
        def more(name):
            return ENDLESS if name.endswith("1") else ()

        folder = Path(self.create_tempdir())
        with (
            contextlib.redirect_stdout(HeadOfOneLine()),
            self.assertRaises(BrokenPipeError),
        ):
            run_sweep(manifest(*runs(9)), folder, StubEngine(more, at_once=2), retries=0)
        self.assertIn(status(folder / "mlp/plain/seed_1"), ("", "interrupted"))
        self.assertEqual(status(folder / "mlp/plain/seed_8"), "")

    def test_a_run_of_another_configuration_fails_by_name(self):
        folder = Path(self.create_tempdir())
        engine = StubEngine(lambda name: ("--configuration=other",) if name.endswith("1") else ())
        with self.assertRaises(RunsFailedError) as failed:
            make(manifest(*runs(2)), folder, engine)
        self.assertIn("mlp/plain/seed_1", failed.exception.sentence)
        self.assertNotIn("mlp/plain/seed_0:", failed.exception.sentence)
        with self.assertRaises(UserError) as refused:  # it is done now, but not what is planned
            make(manifest(*runs(2)), folder)
        self.assertIn("mlp/plain/seed_1", refused.exception.sentence)

    def test_a_done_run_that_has_lost_its_rows_is_not_said_to_have_diverged(self):
        class Idle(StubEngine):
            def run(self, job, *_):
                return Outcome(job.name, 0)

        folder = Path(self.create_tempdir())
        write_run(folder / runs(1)[0].name, "done", 3)
        (folder / runs(1)[0].name / "metrics.csv").unlink()
        with self.assertRaises(RunsFailedError) as failed:
            make(manifest(*runs(1)), folder, Idle())
        self.assertRegex(failed.exception.sentence, "seed_0: .*metrics.csv")

    @parameterized.parameters('["done"]', '{"a": 1}', "1", "null")
    def test_a_status_that_is_none_stops_no_other_run(self, text):
        folder = Path(self.create_tempdir())
        for run in runs(2):
            write_run(folder / run.name, "done", 3)
        (folder / runs(1)[0].name / "summary.json").write_text(f'{{"status": {text}}}')
        make(manifest(*runs(2)), folder)
        self.assertEqual(status(folder / runs(1)[0].name), "done")

    def test_another_process_at_the_sweep_is_refused(self):
        folder = Path(self.create_tempdir())
        with leading(folder, ""), self.assertRaises(UserError):
            make(manifest(*runs(1)), folder)


if __name__ == "__main__":
    absltest.main()
