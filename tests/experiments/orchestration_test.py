import contextlib
import io

from absl.testing import absltest, parameterized

from rethink_keras.errors import RunsFailedError, UserError
from rethink_keras.experiments import orchestration
from rethink_keras.experiments.sweeps.manifest import Manifest
from tests.experiments.progress_test import write_run
from tests.experiments.stub_runs import ENDLESS, StubEngine, status
from tests.experiments.sweeps.manifest_test import manifest, planned
from tests.training.small_runs import new_folder


def runs(count, **fields):
    """Planned runs that differ in their seeds."""
    return [planned(name=f"mlp/plain/seed_{k}", seed=k, **fields) for k in range(count)]


def make(sweep, folder, engine=None, **options):
    """Makes a sweep of stub runs; returns what was printed."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        orchestration.make(sweep, folder, engine or StubEngine(), 0, **options)
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
        with new_folder() as folder:
            sweep = manifest(*runs(2))
            self.assertIn("All 2 runs are done", make(sweep, folder, StubEngine(configured)))
            self.assertIn("2 of them over", make(sweep, folder, StubEngine(configured)))

    def test_a_done_run_that_has_lost_a_file_is_made_again_to_rebuild_it(self):
        with new_folder() as folder:
            sweep = manifest(*runs(2))
            make(sweep, folder)
            lost = folder / "mlp/plain/seed_1" / "model.keras"
            lost.unlink()
            self.assertIn("1 of them over", make(sweep, folder))
            self.assertTrue(lost.exists())

    def test_runs_that_are_not_named_any_more_stay_in_the_sweep(self):
        with new_folder() as folder:
            make(manifest(*runs(3)), folder)
            out = make(manifest(*runs(1)), folder)
            self.assertIn("1 runs in", out)
            self.assertIn("2 more", out)
            self.assertEqual(Manifest.read(folder), manifest(*runs(3)))
            make(manifest(*runs(1)), folder, replace=True)
            self.assertEqual(Manifest.read(folder), manifest(*runs(1)))
            self.assertEqual(status(folder / "mlp/plain/seed_2"), "done")

    def test_only_what_is_asked_for_is_made(self):
        with new_folder() as folder:
            manifest(*runs(3)).write(folder)
            make(manifest(*runs(1)), folder)
            self.assertEqual([status(folder / run.name) for run in runs(3)], ["done", "", ""])

    def test_the_reader_of_the_output_goes_away(self):
        def more(name):
            return ENDLESS if name.endswith("1") else ()

        with new_folder() as folder:
            with (
                contextlib.redirect_stdout(HeadOfOneLine()),
                self.assertRaises(BrokenPipeError),
            ):
                orchestration.make(manifest(*runs(9)), folder, StubEngine(more, at_once=2), 0)
            self.assertIn(status(folder / "mlp/plain/seed_1"), ("", "interrupted"))
            self.assertEqual(status(folder / "mlp/plain/seed_8"), "")

    def test_a_run_of_another_configuration_fails_by_name(self):
        with new_folder() as folder:
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
            def run(self, *_):
                """Makes nothing."""

        with new_folder() as folder:
            write_run(folder / runs(1)[0].name, "done", 3)
            (folder / runs(1)[0].name / "metrics.csv").unlink()
            with self.assertRaises(RunsFailedError) as failed:
                make(manifest(*runs(1)), folder, Idle())
            self.assertIn("damaged", failed.exception.sentence)

    @parameterized.parameters('["done"]', '{"a": 1}', "1", "null")
    def test_a_status_that_is_none_stops_no_other_run(self, text):
        with new_folder() as folder:
            for run in runs(2):
                write_run(folder / run.name, "done", 3)
            (folder / runs(1)[0].name / "summary.json").write_text(f'{{"status": {text}}}')
            make(manifest(*runs(2)), folder)
            self.assertEqual(status(folder / runs(1)[0].name), "done")

    def test_another_process_at_the_sweep_is_refused(self):
        with new_folder() as folder, orchestration.leading(folder, ""), self.assertRaises(UserError):
            make(manifest(*runs(1)), folder)


if __name__ == "__main__":
    absltest.main()
