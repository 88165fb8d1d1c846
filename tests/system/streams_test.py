import errno
import io
import os
import pty
import subprocess
import sys
from pathlib import Path
from unittest import mock

from absl.testing import absltest, parameterized

from rethink_keras.errors import DiskError
from rethink_keras.system import streams
from rethink_keras.system.streams import GuardedStream, standard_streams, terminal_may_close

ROOT = Path(__file__).resolve().parents[2]


class GuardedStreamTest(parameterized.TestCase):
    @parameterized.parameters("utf-8", "ascii", "latin-1")
    def test_what_the_encoding_lacks_is_escaped(self, encoding):
        stream = io.TextIOWrapper(io.BytesIO(), encoding)
        print("\ud800 ± 日本", file=GuardedStream(stream), flush=True)
        self.assertStartsWith(stream.buffer.getvalue().decode(encoding), r"\ud800")

    def test_a_full_stream_is_not_the_disk_of_the_workdir(self):
        with Path("/dev/full").open("w") as stream:
            guarded = GuardedStream(stream)
            self.assertEqual(guarded.write("text"), 4)
            with self.assertRaisesRegex(DiskError, "output.*redirect"):
                guarded.flush()
            streams.discard(stream)

    def test_a_reader_that_is_gone(self):
        reader, writer = os.pipe()
        os.close(reader)
        with os.fdopen(writer, "w") as stream:
            GuardedStream(stream).write("text")
            with self.assertRaises(BrokenPipeError):
                GuardedStream(stream).flush()
            streams.discard(stream)

    def test_attributes_are_those_of_the_stream(self):
        stream = io.StringIO()
        GuardedStream(stream).write("text")
        self.assertEqual(GuardedStream(stream).getvalue(), "text")


class StandardStreamsTest(absltest.TestCase):
    def test_guards_once(self):
        out = io.StringIO()
        with mock.patch.object(sys, "stdout", out), standard_streams():
            outer = sys.stdout
            with standard_streams():
                self.assertIs(sys.stdout, outer)
            print("text", end="")
        self.assertEqual(out.getvalue(), "text")

    def test_a_closed_stream_does_not_give_its_number_to_a_file(self):
        code = (
            "import sys; from rethink_keras.system.streams import standard_streams\n"
            "with standard_streams():\n"
            "    file = open('/dev/null'); print('lost', file=sys.stderr); print(file.fileno() > 2)"
        )
        script = f'{sys.executable} -c "$0" <&- 2>&-'
        done = subprocess.run(["bash", "-c", script, code], cwd=ROOT, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, "True\n"))


class ClosedTerminalTest(absltest.TestCase):
    def test_what_is_printed_to_a_closed_terminal_fails_nothing(self):
        ours, theirs = pty.openpty()
        with os.fdopen(theirs, "w") as screen, mock.patch.multiple(sys, stdout=screen, stderr=screen):
            with terminal_may_close():
                print("seen", flush=True)
                self.assertEqual(os.read(ours, 100), b"seen\r\n")
                os.close(ours)
                with self.assertRaises(OSError) as caught:
                    os.write(theirs, b"lost")
                self.assertEqual(caught.exception.errno, errno.EIO)
                print("lost", flush=True)
                self.assertFalse(sys.stdout.isatty())
            print("lost", file=sys.stderr, flush=True)


if __name__ == "__main__":
    absltest.main()
