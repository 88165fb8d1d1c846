import json
import tempfile
from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras.commands import runs
from tests.commands.in_process import main
from tests.training.small_runs import run


class RunsCommandTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(temporary.cleanup)
        cls.folder = Path(temporary.name)
        run(cls.folder / "true")
        run(cls.folder / "random", "randomization.labels = 'random'", "train.epochs = 2", "train.seed = 5")
        (cls.folder / "damaged").mkdir()
        (cls.folder / "damaged" / "summary.json").write_text("{")

    def table(self, *arguments):
        code, out, err = main(runs, f"--workdir={self.folder}", "--json", *arguments)
        self.assertEqual((code, err), (0, ""))
        return json.loads(out)

    def test_json_for_scripts(self):
        damaged, random, true = self.table()
        self.assertEqual((damaged["run"], damaged["status"]), ("damaged", "damaged"))
        self.assertEqual(random["configuration"], "mlp, digits, random labels")
        self.assertEqual((random["status"], random["epoch"], random["seed"]), ("done", 2, 5))
        self.assertBetween(true["train_accuracy"], 0.3, 1.0)
        self.assertBetween(true["age"], 0.0, 600.0)

    def test_a_table_for_people(self):
        code, out, _ = main(runs, f"--workdir={self.folder}")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"random +mlp, digits, random labels +5 +done +2 ")
        self.assertEndsWith(out, "3 runs\n")

    @parameterized.parameters(
        ("status=done", ["random", "true"]),
        ("status!=done", ["damaged"]),
        ("epoch > 2", ["true"]),
        ("seed<=0", ["true"]),
        ("run~an", ["random"]),
        ("train_accuracy>=2", []),
    )
    def test_filters(self, text, names):
        self.assertEqual([row["run"] for row in self.table(f"--filter={text}")], names)

    def test_sorts_with_what_has_no_value_last(self):
        self.assertEqual([row["run"] for row in self.table("--sort=seed")], ["true", "random", "damaged"])
        self.assertEqual([row["run"] for row in self.table("--sort=-seed")], ["random", "true", "damaged"])

    @parameterized.parameters(
        ("--filter=epochs>3", "'epoch'"),
        ("--filter=status", "'status'"),
        ("--filter=epoch>many", "'many'"),
        ("--sort=name", "'name'"),
        ("--workdir=/nowhere", "/nowhere"),
    )
    def test_bad_input(self, argument, message):
        code, _, err = main(runs, f"--workdir={self.folder}", argument)
        self.assertEqual(code, 2)
        self.assertIn(message, err)


if __name__ == "__main__":
    absltest.main()
