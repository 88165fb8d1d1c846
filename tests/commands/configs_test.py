from pathlib import Path

from absl.testing import absltest

from rethink_keras.commands import configs
from tests.commands.in_process import main

GIN = Path(__file__).resolve().parents[2] / "gin"


class ConfigsTest(absltest.TestCase):
    def test_lists_every_gin_file_with_its_first_line(self):
        code, out, err = main(configs)
        self.assertEqual((code, err), (0, ""))
        for path in GIN.rglob("*.gin"):
            first = path.read_text().splitlines()[0].removeprefix("# ")
            self.assertRegex(out, rf"(?m)^ ?{path.relative_to(GIN)} +{first[:20]}")

    def test_a_word_selects(self):
        code, out, _ = main(configs, "Dropout")
        self.assertEqual(code, 0)
        self.assertIn("with/dropout.gin", out)
        self.assertNotIn("quickstart.gin", out)

    def test_nothing_found(self):
        code, _, err = main(configs, "zzzzz")
        self.assertEqual(code, 2)
        self.assertIn("zzzzz", err)


if __name__ == "__main__":
    absltest.main()
