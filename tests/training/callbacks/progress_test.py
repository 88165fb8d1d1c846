import contextlib
import io

from absl.testing import absltest

from rethink_keras.training.callbacks import progress
from rethink_keras.training.state import RunState
from tests.training.made_run import ROW, STEPS, made_run


class PrintEpochTest(absltest.TestCase):
    def printed(self, state, epoch=0):
        run = made_run(self.create_tempdir(), state=state)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            progress.PrintEpoch(run).on_epoch_end(epoch, {"loss": 0.5, "accuracy": 0.25})
        return out.getvalue()

    def test_an_evaluated_epoch_in_the_companion_codes_form(self):
        line = "001: Acc-tr: 50.00, Acc-te: 12.50, L-tr: 0.2500, L-te: 2.0000, lr: 0.05, 1.5s\n"
        self.assertEqual(self.printed(RunState(epoch=1, rows=[dict(ROW)])), line)

    def test_an_epoch_that_was_not_evaluated_has_its_running_averages(self):
        shown = self.printed(RunState(epoch=1))
        for part in ("001", "25.00", "0.5000", "running"):
            self.assertIn(part, shown)

    def test_an_epoch_that_stopped_in_the_middle_has_no_line(self):
        self.assertEqual(self.printed(RunState(epoch=0, step=3)), "")


class ProgressBarTest(absltest.TestCase):
    def test_is_silent_without_a_terminal(self):
        run = made_run(self.create_tempdir())
        with contextlib.redirect_stdout(io.StringIO()) as out:
            bar = progress.ProgressBar(run)
            bar.on_epoch_end(0)  # of an epoch whose steps an earlier process did
            bar.on_epoch_begin(0)
            for step in range(1, STEPS + 1):
                run.state.step = step
                bar.on_train_batch_end(step - 1, {"loss": 1.0})
            bar.on_epoch_end(0)
        self.assertEqual(out.getvalue(), "")


if __name__ == "__main__":
    absltest.main()
