import json

from absl.testing import absltest

from rethink_keras.commands import train
from rethink_keras.errors import RunsDifferError, UserError
from rethink_keras.workdir.verification import verify
from tests.commands.in_process import main
from tests.training.small_runs import new_folder, run


class VerifyTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = cls.enter_context(new_folder())
        run(cls.folder / "one")

    def test_the_same_run(self):
        run(self.folder / "same")
        self.assertIn("are the same run: 3 epochs", verify(self.folder / "one", self.folder / "same"))

    def test_another_seed_differs_from_the_beginning_on(self):
        run(self.folder / "seed", "train.seed = 1")
        with self.assertRaisesRegex(RunsDifferError, "from the beginning on: in their epoch order"):
            verify(self.folder / "one", self.folder / "seed")

    def test_another_rate_later_differs_from_that_epoch_on(self):
        run(self.folder / "rate", "train.schedule = @steps", "steps.after = (2,)", "steps.factor = 0.5")
        run(self.folder / "rate_0", "train.schedule = @constant_rate")
        with self.assertRaisesRegex(
            RunsDifferError, "differ from epoch 3 on: in .*train_loss.*learning_rate"
        ):
            verify(self.folder / "rate", self.folder / "rate_0")

    def test_another_length(self):
        run(self.folder / "longer", "train.epochs = 4")
        with self.assertRaisesRegex(RunsDifferError, "the same for 3 epochs, but one has 3 and the other 4"):
            verify(self.folder / "one", self.folder / "longer")

    def test_other_weights(self):
        run(self.folder / "weights")
        path = self.folder / "weights" / "summary.json"
        summary = json.loads(path.read_text())
        summary["fingerprints"]["weights"] = "0"
        path.write_text(json.dumps(summary))
        with self.assertRaisesRegex(RunsDifferError, "final weights"):
            verify(self.folder / "one", self.folder / "weights")

    def test_no_run(self):
        with self.assertRaisesRegex(UserError, "holds no run"):
            verify(self.folder / "one", self.folder / "nothing")

    def test_command(self):
        run(self.folder / "again")
        flags = [f"--workdir={self.folder / 'one'}"]
        code, out, _ = main(train, *flags, f"--verify={self.folder / 'again'}")
        self.assertEqual(code, 0)
        self.assertIn("are the same run", out)
        run(self.folder / "other", "train.seed = 5")
        code, _, err = main(train, *flags, f"--verify={self.folder / 'other'}")
        self.assertEqual(code, 6)
        self.assertIn("differ", err)


if __name__ == "__main__":
    absltest.main()
