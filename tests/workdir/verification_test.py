from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras.commands import train
from rethink_keras.errors import RunsDifferError, UserError
from rethink_keras.workdir.verification import verify
from tests.commands.in_process import main
from tests.training.small_runs import run
from tests.workdir.made_runs import FACTS, row, write_run

FINGERPRINTS = {**FACTS["fingerprints"], "weights": "0"}
ROWS = [row(epoch) for epoch in (1, 2, 3)]


class VerifyTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())

    def write(self, name, rows=ROWS, status="done", **fingerprints):
        write_run(self.folder / name, status, rows, fingerprints={**FINGERPRINTS, **fingerprints})

    def verify(self):
        return verify(self.folder / "one", self.folder / "other")

    def test_real_runs(self):
        for name in ("one", "other"):
            run(self.folder / name)
        self.assertIn("are the same run: 3 epochs", self.verify())

    def test_times_are_not_compared(self):
        self.write("one")
        self.write("other", [row(epoch, seconds=9.0) for epoch in (1, 2, 3)])
        self.assertIn("weights are equal to the bit", self.verify())

    def test_not_done_yet(self):
        for name in ("one", "other"):
            write_run(self.folder / name, "interrupted", ROWS)
        self.assertIn("so far", self.verify())
        self.write("other")
        with self.assertRaisesRegex(RunsDifferError, "one is not done"):
            self.verify()

    @parameterized.parameters(
        (ROWS, {"epoch_order": "1"}, "from the beginning on: in their epoch order"),
        ([*ROWS[:2], row(3, 0.9)], {}, "from epoch 3 on: in train_loss, train_accuracy"),
        ([*ROWS[:2], row(3, penalty=0.0)], {}, "from epoch 3 on: in penalty"),
        ([*ROWS, row(4)], {}, "the same for 3 epochs, but one has 3 and the other 4"),
        (ROWS, {"weights": "1"}, "final weights"),
    )
    def test_different(self, rows, fingerprints, words):
        self.write("one")
        self.write("other", rows, **fingerprints)
        with self.assertRaisesRegex(RunsDifferError, words) as caught:
            self.verify()
        self.assertEqual(caught.exception.exit_code, 6)

    def test_no_run_to_compare(self):
        self.write("one")
        with self.assertRaisesRegex(UserError, "holds no run"):
            self.verify()
        write_run(self.folder / "other", "running", [])
        with self.assertRaisesRegex(UserError, "without a measured epoch"):
            self.verify()
        write_run(self.folder / "other", fingerprints={"weights": "0"})
        with self.assertRaisesRegex(UserError, "no fingerprint of its train data"):
            self.verify()
        (self.folder / "other" / "metrics.csv").write_text("torn")
        with self.assertRaisesRegex(UserError, "metrics.csv is cut off"):
            self.verify()

    def test_command(self):
        self.write("one")
        self.write("other")
        flags = [f"--workdir={self.folder / 'one'}", f"--verify={self.folder / 'other'}"]
        code, out, _ = main(train, *flags)
        self.assertEqual(code, 0)
        self.assertIn("are the same run", out)
        self.write("other", weights="1")
        code, _, err = main(train, *flags)
        self.assertEqual(code, 6)
        self.assertIn("differ", err)


if __name__ == "__main__":
    absltest.main()
