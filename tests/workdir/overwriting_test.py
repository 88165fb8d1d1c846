import contextlib
import io
from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.workdir.overwriting import check_replaceable, set_aside
from rethink_keras.workdir.workdir import Workdir

RUN = (
    "config.gin",
    "metrics.csv",
    "summary.json",
    "model.keras",
    "confusion.json",
    "curves.png",
    "train.log",
    "failed.txt",
)


def listed(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


class OverwritingTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())
        self.workdir = Workdir(self.folder / "run")

    def write(self, *names):
        for name in names:
            path = self.workdir.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("content")

    def set_aside(self):
        with self.workdir.locked(), contextlib.redirect_stdout(io.StringIO()) as out:
            set_aside(self.workdir)
        return out.getvalue()

    def test_a_run_is_moved_and_never_onto_another(self):
        for number in (1, 2):
            self.write(*RUN, "checkpoints/epoch-00001-step-0000000.npz", "tensorboard/train/events")
            before = [name for name in listed(self.workdir.path) if name != ".lock"]
            aside = self.folder / f"run.old-{number}"
            self.assertIn(str(aside), self.set_aside())
            self.assertEqual(listed(aside), before)
            self.assertEqual(listed(self.workdir.path), [".lock", "checkpoints"])

    def test_nothing_there_is_nothing_moved(self):
        check_replaceable(self.workdir)
        for _ in range(2):
            self.assertEqual(self.set_aside(), "")
        self.assertEqual(listed(self.folder), ["run", "run/.lock", "run/checkpoints"])

    def test_a_run_that_a_sweep_could_not_start(self):
        self.write("train.log", "failed.txt")
        self.set_aside()
        self.assertEqual(listed(self.folder / "run.old-1"), ["checkpoints", "failed.txt", "train.log"])

    @parameterized.parameters(
        (".git/HEAD", "thesis.tex"),
        (*RUN, "thesis.tex"),
        ("quickstart/config.gin", "quickstart/summary.json"),
        ("sweep.json", "mlp/seed_0/config.gin"),
        (*RUN, "checkpoints/run/config.gin"),
        (*RUN, "tensorboard/.lock"),
        ("summary.json", "metrics.csv", "model.keras"),
        ("checkpoints/model.ckpt",),
        ("checkpoints",),
    )
    def test_anything_else_is_refused_before_anything_is_touched(self, *names):
        self.write(*names)
        before = listed(self.folder)
        with self.assertRaisesRegex(UserError, "--overwrite") as caught:
            check_replaceable(self.workdir)
        self.assertEqual(caught.exception.exit_code, 2)
        self.assertIn("--workdir", caught.exception.sentence)
        with self.assertRaises(UserError):
            set_aside(self.workdir)
        self.assertEqual(listed(self.folder), before)


if __name__ == "__main__":
    absltest.main()
