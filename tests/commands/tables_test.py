import contextlib
import io
import os

from absl.testing import absltest

from rethink_keras.commands.tables import print_table


def printed(heads, rows):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        print_table(heads, rows)
    return out.getvalue()


class PrintTableTest(absltest.TestCase):
    def test_heads_and_cells(self):
        out = printed([("run", {}), ("seed", {"justify": "right"})], [("mlp", "1"), ("alexnet", "23")])
        self.assertRegex(out, r"run +seed")
        self.assertRegex(out, r"mlp +1 *\n")
        self.assertRegex(out, r"alexnet +23 *\n")

    def test_cells_are_data(self):
        out = printed([("[b]run[/b]", {})], [("[red]x[/y]",), ("\x1b[31m\nred",)])
        for text in ("[b]run[/b]", "[red]x[/y]", r"\x1b[31m\nred"):
            self.assertIn(text, out)
        self.assertNotIn("\x1b", out)

    def test_a_file_gets_long_lines_whole(self):
        name = "x" * 200
        self.assertIn(name, printed([("run", {})], [(name,)]))

    def test_a_reader_that_is_gone_is_the_callers_error(self):
        reader, writer = os.pipe()
        os.close(reader)
        stream = os.fdopen(writer, "w", buffering=1)
        with contextlib.redirect_stdout(stream), self.assertRaises(BrokenPipeError):
            print_table([("run", {})], [("x",)])
        with contextlib.suppress(BrokenPipeError):
            stream.close()


if __name__ == "__main__":
    absltest.main()
