import contextlib
import io
from unittest import mock

from absl.testing import absltest

from rethink_keras.training import progress_display
from rethink_keras.training.callbacks import progress
from rethink_keras.training.progress_display import LINE_SECONDS, ProgressDisplay
from rethink_keras.training.state import RunState
from rethink_keras.training.time_to_go import TimeToGo
from tests.training import small_runs
from tests.training.made_run import ROW, STEPS, made_run


class ProgressTest(absltest.TestCase):
    """Callbacks with a clock that the test sets."""

    def setUp(self):
        super().setUp()
        self.now = 0.0
        self.out = self.enter_context(contextlib.redirect_stdout(io.StringIO()))

    def callbacks(self, state, *bindings):
        """Makes both callbacks of a run, and returns the run."""
        run = made_run(self.create_tempdir(), *bindings, state=state)

        def clock():
            return self.now

        shared = ProgressDisplay(clock), TimeToGo(run, run.config.train.epochs, clock)
        self.steps, self.epochs = progress.ShowSteps(run, *shared), progress.PrintEpoch(run, *shared)
        return run


class PrintEpochTest(ProgressTest):
    def printed(self, state):
        self.callbacks(state)
        self.epochs.on_epoch_end(0, {"loss": 0.5, "accuracy": 0.25})
        return self.out.getvalue()

    def test_an_evaluated_epoch_in_the_companion_codes_form(self):
        line = "001: Acc-tr: 50.00, Acc-te: 12.50, L-tr: 0.2500, L-te: 2.0000, lr: 0.05, 1.5s\n"
        self.assertEqual(self.printed(RunState(epoch=1, rows=[dict(ROW)])), line)

    def test_an_epoch_that_was_not_evaluated_has_its_running_averages(self):
        shown = self.printed(RunState(epoch=1))
        for part in ("001", "25.00", "0.5000", "running"):
            self.assertIn(part, shown)

    def test_an_epoch_that_stopped_in_the_middle_has_no_line(self):
        self.assertEqual(self.printed(RunState(epoch=0, step=3)), "")


class ShowStepsTest(ProgressTest):
    def train_epoch(self, run, seconds):
        """Does the steps of an epoch, of so many seconds each."""
        epoch = run.state.epoch
        self.steps.on_epoch_begin(epoch)
        for step in range(1, STEPS + 1):
            self.now += seconds
            run.state.step = step
            self.steps.on_train_batch_end(step - 1, {"loss": 1.0})
        self.steps.on_epoch_end(epoch)
        run.state.row = {**ROW, "epoch": epoch + 1}
        run.state.finish_epoch()
        self.epochs.on_epoch_end(epoch, {"loss": 1.0, "accuracy": 0.5})

    def test_short_epochs_have_a_line_each_with_the_time_to_go(self):
        run = self.callbacks(RunState(), "train.epochs = 3")
        for _ in range(3):
            self.train_epoch(run, 2.0)
        lines = self.out.getvalue().splitlines()
        self.assertLen(lines, 3)
        self.assertEndsWith(lines[0], ", at most 40 s to go")
        self.assertEndsWith(lines[1], ", about 20 s to go")
        self.assertEndsWith(lines[2], "s")
        self.assertNotIn("to go", lines[2])

    def test_long_epochs_have_lines_of_steps(self):
        run = self.callbacks(RunState(), "train.epochs = 2")
        self.train_epoch(run, LINE_SECONDS / 4)
        first = self.out.getvalue().splitlines()[0]
        self.assertEqual(first, f"001: step 4 of {STEPS}, loss 1.0000, about 16 min to go without evaluation")

    def test_an_epoch_whose_steps_an_earlier_process_did_shows_none(self):
        run = self.callbacks(RunState(step=STEPS))
        self.steps.on_epoch_end(0)
        run.state.row = dict(ROW)
        run.state.finish_epoch()
        self.epochs.on_epoch_end(0, {})
        self.assertLen(self.out.getvalue().splitlines(), 1)


class LogTest(absltest.TestCase):
    def test_a_run_shows_steps_and_both_evaluations(self):
        with mock.patch.object(progress_display, "LINE_SECONDS", 0):
            _, out = small_runs.paused(self.create_tempdir(), 3, "train.steps_per_execution = 2")
        for what in (
            "step 2 of 10, loss",
            "evaluating training data: batch 1 of 1",
            "evaluating test data: batch 1",
        ):
            self.assertRegex(out, f"(?m)^002.*{what}.*to go$")

    def test_short_epochs_have_no_other_lines(self):
        _, out = small_runs.paused(self.create_tempdir(), 3, "train.steps_per_execution = 2")
        self.assertNotRegex(out, "(?m)^00.*(step|batch) ")


if __name__ == "__main__":
    absltest.main()
