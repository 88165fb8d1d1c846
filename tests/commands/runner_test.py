import contextlib
import io
import signal
import subprocess
import sys
from pathlib import Path

from absl import flags
from absl.testing import absltest, parameterized

from rethink_keras.commands import command_flags, runner
from rethink_keras.errors import DataNotAvailableError, UserError
from tests.reports import made_sweeps as made

ROOT = Path(__file__).resolve().parents[2]


def run(main, *arguments, positional=0):
    """Exit code, stdout and stderr of a command that does no more than call a function."""
    values = command_flags.basic_flags()
    flags.DEFINE_string("workdir", None, "Folder of the run.", flag_values=values)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = runner.run_command("Does it.\n\n  bin/it", values, main, ["it", *arguments], positional)
    return code, out.getvalue(), err.getvalue()


def raising(error):
    def main():
        raise error

    return main


class RunCommandTest(parameterized.TestCase):
    def test_help_has_usage_and_flags(self):
        code, out, err = run(raising(AssertionError()), "--help")
        self.assertEqual((code, err), (0, ""))
        for text in ("bin/it", "--workdir=...", "Folder of the run.", "--debug "):
            self.assertIn(text, out)

    @parameterized.parameters(
        (None, 0, ""),
        (UserError("Wrong. Do this."), 2, "Wrong. Do this.\n"),
        (DataNotAvailableError("Not there."), 3, "Not there.\n"),
        (UserError("A \x1b[31m name."), 2, "A \\x1b[31m name.\n"),
        (BrokenPipeError(), 128 + signal.SIGPIPE, ""),
        (KeyboardInterrupt(), 128 + signal.SIGINT, "Interrupted.\n"),
    )
    def test_exit_codes_and_sentences(self, error, code, sentence):
        main = raising(error) if error else lambda: None
        self.assertEqual(run(main), (code, "", sentence))

    def test_a_fault_of_the_program_names_the_error_and_debug(self):
        code, _, err = run(raising(KeyError("name")))
        self.assertEqual(code, 1)
        self.assertLen(err.splitlines(), 1)
        for word in ("KeyError", "'name'", "--debug"):
            self.assertIn(word, err)

    @parameterized.parameters(UserError("Wrong."), KeyError("name"))
    def test_debug_shows_the_traceback(self, error):
        self.assertIn("Traceback", run(raising(error), "--debug")[2])

    @parameterized.parameters("--workdri=x", "other")
    def test_wrong_flags(self, argument):
        code, _, err = run(lambda: self.fail("The command ran."), argument)
        self.assertEqual(code, 2)
        self.assertIn(argument.strip("-").split("=")[0], err)
        self.assertIn("--help", err)

    def test_arguments_that_are_not_flags(self):
        seen = []
        self.assertEqual(run(seen.append, "word", positional=1)[0], 0)
        self.assertEqual(seen, ["word"])
        self.assertEqual(run(seen.append, "word", "another", positional=1)[0], 2)


class StreamsTest(made.FolderTestCase):
    """`bin/runs` stands for all commands, since one function runs each."""

    def setUp(self):
        super().setUp()
        made.run(self.folder, made.plan("mlp_1x512", "plain"), made.rows(4, (1.0, 0.5)))

    def shell(self, redirection, *flags):
        """Exit code and what came through of `bin/runs` with its streams redirected by the shell."""
        command = f"{sys.executable} {ROOT / 'bin' / 'runs'} --workdir={self.folder} {' '.join(flags)}"
        script = f"{{ {command} {redirection}; }}; echo code=${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
        self.assertNotIn("Traceback", done.stderr)
        self.assertNotIn("Exception ignored", done.stderr)
        return int(done.stdout.rpartition("code=")[2]), done.stderr

    def test_full_stdout(self):
        code, err = self.shell("> /dev/full")
        self.assertEqual(code, 5)
        self.assertIn("output cannot be written (No space left on device)", err)

    def test_no_reader(self):
        self.assertEqual(self.shell("| true"), (141, ""))

    def test_closed_stdout(self):
        self.assertEqual(self.shell(">&-"), (0, ""))

    def test_closed_or_full_stderr_keeps_the_code(self):
        for redirection in ("2>&-", "2> /dev/full", "<&- >&- 2>&-"):
            with self.subTest(redirection):
                self.assertEqual(self.shell(redirection, "--sort=nothing")[0], 2)


if __name__ == "__main__":
    absltest.main()
