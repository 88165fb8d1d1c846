import contextlib
import io

from absl.testing import absltest

from rethink_keras.system.signals import Stopped
from rethink_keras.training.progress_display import LINE_SECONDS, ProgressDisplay


class Terminal(io.StringIO):
    def isatty(self):
        return True


def never():
    raise AssertionError("described, but not shown")


class ProgressDisplayTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.now = 0.0
        self.display = ProgressDisplay(lambda: self.now)

    def to(self, out):
        self.enter_context(contextlib.redirect_stdout(out))
        return out

    def test_a_log_has_a_line_at_least_every_five_minutes(self):
        out = self.to(io.StringIO())
        self.display.begin("004", "step", 2000)
        times = []
        for step in range(1, 1801):  # a second each
            self.now += 1
            before = out.tell()
            self.display.update(step, lambda: "loss 0.5")
            if out.tell() > before:
                times.append(self.now)
        self.display.end()
        self.assertLen(times, 1800 // LINE_SECONDS)
        gaps = [after - before for before, after in zip([0, *times], times, strict=False)]
        self.assertLess(max(gaps), 300)
        self.assertEqual(out.getvalue().splitlines()[0], f"004: step {LINE_SECONDS} of 2,000, loss 0.5")

    def test_other_lines_count(self):
        out = self.to(io.StringIO())
        self.display.begin("004", "step", 10)
        self.now += LINE_SECONDS - 1
        self.display.say("an epoch")
        self.now += LINE_SECONDS - 1
        self.display.update(3, never)
        self.assertEqual(out.getvalue(), "an epoch\n")

    def test_a_terminal_has_a_bar_and_no_lines(self):
        out = self.to(Terminal())
        self.display.begin("004", "step", 10, 4)
        self.now += LINE_SECONDS
        self.display.update(7, lambda: "loss 0.5")
        self.display.end()
        bars = out.getvalue().split("\r")
        self.assertTrue(any("40%" in bar and "step 4/10" in bar for bar in bars), bars)
        self.assertNotIn("\n", out.getvalue())
        self.assertEqual(bars[-1].strip(), "")  # the bar is removed

    def test_a_line_replaces_the_bar(self):
        out = self.to(Terminal())
        self.display.begin("004", "step", 10)
        self.display.say("an epoch")
        self.assertEndsWith(out.getvalue(), "\ran epoch\n")

    def test_evaluation_is_counted_in_batches(self):
        out = self.to(io.StringIO())
        with self.display.of_evaluation("004, evaluating test data", 5, lambda: "") as callback:
            self.now += LINE_SECONDS
            callback.on_test_batch_end(1)
        self.assertEqual(out.getvalue(), "004, evaluating test data: batch 2 of 5\n")

    def test_an_evaluation_that_is_stopped_leaves_no_bar(self):
        out = self.to(Terminal())
        with (
            self.assertRaises(Stopped),
            self.display.of_evaluation("004", 5, lambda: ""),
        ):
            raise Stopped
        self.assertEqual(out.getvalue().split("\r")[-1].strip(), "")


if __name__ == "__main__":
    absltest.main()
