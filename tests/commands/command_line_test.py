import re
import subprocess
import sys

from absl.testing import absltest, parameterized

from rethink_keras.commands import command_line
from rethink_keras.system.installation import COMMANDS
from tests.commands.in_process import main


class CommandLineTest(parameterized.TestCase):
    def test_help_lists_each_command_with_its_first_line(self):
        code, out, err = main(command_line, "--help")
        self.assertEqual((code, err), (0, ""))
        listed = re.findall(r"(?m)^  (\w+)  +[A-Z]\w+.*\.$", out)
        self.assertEqual(listed, list(COMMANDS))

    def test_help_imports_no_tensorflow(self):
        code = (
            "import sys; from rethink_keras.commands.command_line import main; main(['rethink-keras', '--help']);"
            "print('heavy:', sorted({'tensorflow', 'keras', 'gin'} & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        self.assertEndsWith(done.stdout, "heavy: []\n")

    @parameterized.parameters(*COMMANDS)
    def test_commands_get_their_flags(self, name):
        code, out, _ = main(command_line, name, "--help")
        self.assertEqual(code, 0)
        self.assertIn(f"bin/{name}", out)

    def test_exit_codes_are_the_commands(self):
        code, _, err = main(command_line, "data", "prepair")
        self.assertEqual(code, 2)
        self.assertIn("'prepair'", err)

    @parameterized.parameters(
        ((), "No command"),
        (("trian", "--gin_file=x"), "'train'"),
        (("minimum-norm",), "'minimum_norm'"),
        (("--gin_file=x",), "gin_file"),
    )
    def test_without_a_known_command(self, arguments, word):
        code, out, err = main(command_line, *arguments)
        self.assertEqual((code, out), (2, ""))
        self.assertIn(word, err)
        self.assertIn("--help", err)


if __name__ == "__main__":
    absltest.main()
