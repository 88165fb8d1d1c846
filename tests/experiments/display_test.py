import contextlib
import io
import threading

from absl.testing import absltest, parameterized

from rethink_keras.experiments.display import DONE, FAILED, LEFT, RUNNING, Display, Progress, summarize


class SummarizeTest(parameterized.TestCase):
    def test_estimates_by_the_share_that_done_runs_spent(self):
        runs = [
            Progress(DONE, 10, 8, 240),
            Progress(RUNNING, 10, 2, 60),
            Progress(LEFT, 10),
            Progress(LEFT, 10),
        ]
        # 6 + 8 + 8 epochs are left, half a minute each.
        self.assertEqual(summarize(runs), "1 done, 1 running, 2 left, about 11 min to go")

    def test_failed_runs_are_not_to_go(self):
        runs = [Progress(DONE, 10, 10, 600), Progress(FAILED, 10, 0), Progress(LEFT, 10)]
        self.assertEqual(summarize(runs), "1 done, 0 running, 1 left, 1 failed, about 10 min to go")

    def test_each_kind_has_its_own_speed(self):
        runs = [
            Progress(DONE, 10, 10, 600, "slow"),
            Progress(LEFT, 10, kind="slow"),
            Progress(RUNNING, 10, 5, 30, "fast"),
            Progress(RUNNING, 10, 5, 30, "fast"),
            Progress(LEFT, 10, kind="unknown"),
        ]
        # Ten minutes and one, on two places.
        self.assertIn("about 6 min to go besides unknown", summarize(runs))

    @parameterized.parameters(
        ([],), ([Progress(LEFT, 10)],), ([Progress(DONE, 10, 10, 60)],), ([Progress(RUNNING, 10)],)
    )
    def test_no_estimate_without_a_measurement(self, runs):
        self.assertNotIn("to go", summarize(runs))

    def test_a_last_minute(self):
        self.assertIn("less than 1 min to go", summarize([Progress(RUNNING, 10, 9, 90)]))


class Terminal(io.StringIO):
    def isatty(self):
        return True


class DisplayTest(absltest.TestCase):
    def test_lines_of_threads_are_written_by_update_alone(self):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            display = Display(lambda: [Progress(DONE, 1, 1, 1)])
            with display.shown():
                thread = threading.Thread(target=display.ended, args=("a: 1 s",))
                thread.start()
                thread.join()
                display.say("a sentence")
                self.assertEqual(out.getvalue(), "")
                display.update()
                self.assertEqual(out.getvalue(), "a: 1 s [1 done, 0 running, 0 left]\na sentence\n")
                display.say("the last")
        self.assertIn("the last", out.getvalue())

    def test_lines_alone(self):
        with contextlib.redirect_stdout(io.StringIO()) as out, Display().shown() as display:
            display.ended("a: 1 s")
        self.assertEqual(out.getvalue(), "a: 1 s\n")

    def test_a_bar_on_a_terminal(self):
        with contextlib.redirect_stderr(Terminal()) as err, contextlib.redirect_stdout(io.StringIO()):
            display = Display(lambda: [Progress(FAILED, 3, 1), Progress(RUNNING, 1)])
            with display.shown():
                display.update()
        self.assertIn(" 75%|", err.getvalue())
        self.assertIn("0 done, 1 running, 0 left, 1 failed", err.getvalue())


if __name__ == "__main__":
    absltest.main()
