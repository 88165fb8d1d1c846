import contextlib
import io

from absl.testing import absltest

from rethink_keras.commands import report
from tests.reports import made_sweeps as made


def main(*arguments):
    """Exit code, stdout and stderr of the command run in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = report.main(["bin/report", *arguments])
    return code, out.getvalue(), err.getvalue()


class ReportCommandTest(made.FolderTestCase):
    def test_says_what_it_found_and_wrote(self):
        plan = made.plan("mlp_1x512", "plain")
        folder = made.sweep(self.folder / "runs" / "own", "own", [plan, made.plan("mlp_1x512", "plain", 1)])
        made.run(folder, plan, made.rows(4, (1.0, 0.5)))
        (self.folder / "runs" / "broken").mkdir()
        (self.folder / "runs" / "broken" / "sweep.json").write_text("{")
        output = self.folder / "out"
        code, out, err = main(f"--workdir={self.folder / 'runs'}", f"--output={output}")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("own in full size: 1 of 2 runs done", out)
        self.assertRegex(out, r"Note: .*broken/sweep.json is damaged")
        self.assertIn(f"Wrote {output}/index.html", out)
        self.assertTrue((output / "index.html").exists())

    def test_mistakes_are_told(self):
        for arguments, sentence in (
            ((), "Give --workdir=DIR"),
            (("--workdir=/nowhere", f"--output={self.folder}/out"), "There is no folder /nowhere"),
            ((f"--workdir={self.folder}", f"--output={self.folder}/out"), "holds no sweep and no run"),
            (("--workdirs=a",), "Unknown command line flag 'workdirs'"),
        ):
            with self.subTest(arguments):
                code, out, err = main(*arguments)
                self.assertEqual((code, out), (2, ""))
                self.assertIn(sentence, err)
                self.assertFalse((self.folder / "out").exists())


if __name__ == "__main__":
    absltest.main()
