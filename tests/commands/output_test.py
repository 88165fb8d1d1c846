"""Standard streams that are full, closed or read by nobody any more."""

import io
import subprocess
import sys
from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras.commands import output
from rethink_keras.errors import DiskError
from tests.reports import made_sweeps as made

ROOT = Path(__file__).resolve().parents[2]


class StreamsTest(made.FolderTestCase):
    """`bin/runs` stands for all: one function runs every command."""

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


class OutputTest(parameterized.TestCase):
    @parameterized.parameters("utf-8", "ascii", "latin-1")
    def test_what_the_encoding_lacks_is_escaped(self, encoding):
        stream = io.TextIOWrapper(io.BytesIO(), encoding)
        print("\ud800 ± 日本", file=output.Output(stream), flush=True)
        self.assertStartsWith(stream.buffer.getvalue().decode(encoding), r"\ud800")

    def test_a_full_stream_is_not_the_disk_of_the_workdir(self):
        with Path("/dev/full").open("w") as stream:
            told = output.Output(stream)
            told.write("x")
            with self.assertRaisesRegex(DiskError, "output"):
                told.flush()
            output.drop(stream)


if __name__ == "__main__":
    absltest.main()
