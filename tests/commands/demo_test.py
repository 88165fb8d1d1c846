from pathlib import Path
from unittest import mock

from absl.testing import absltest

from rethink_keras.commands import demo
from tests.commands.in_process import main


class DemoTest(absltest.TestCase):
    def test_ends_with_a_table_and_a_plot(self):
        folder = Path(self.create_tempdir())
        with mock.patch.object(demo, "EPOCHS", 2):
            code, out, _ = main(demo, f"--workdir={folder}")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"true labels +\d+\.\d\d% +\d+\.\d\d%")
        self.assertRegex(out, r"random labels +\d+\.\d\d% +\d+\.\d\d% +not fitted")
        self.assertStartsWith((folder / "learning_curves.png").read_bytes(), b"\x89PNG")


if __name__ == "__main__":
    absltest.main()
