import subprocess
import sys
from pathlib import Path

from absl.testing import absltest

from rethink_keras.system import installation
from rethink_keras.system.installation import as_typed, config_folder, python_arguments, scripts_folder

ROOT = Path(__file__).resolve().parents[2]


class CloneTest(absltest.TestCase):
    def test_folders_are_beside_the_package(self):
        self.assertEqual((config_folder(), scripts_folder()), (ROOT / "gin", ROOT / "bin"))

    def test_commands_are_those_of_bin(self):
        scripts = {path.name for path in (ROOT / "bin").iterdir() if path.suffix == "" and path.is_file()}
        self.assertCountEqual(installation.COMMANDS, scripts)

    def test_every_command_is_a_module_and_its_script_calls_it(self):
        for name in installation.COMMANDS:
            self.assertIn(f"{name}.main()", (ROOT / "bin" / name).read_text())
            self.assertTrue((ROOT / "rethink_keras" / "commands" / f"{name}.py").is_file())

    def test_a_program_of_python(self):
        self.assertEqual(python_arguments("train"), (str(ROOT / "bin" / "train"),))

    def test_texts_stay(self):
        self.assertEqual(as_typed("Run bin/train."), "Run bin/train.")


class InstalledTest(absltest.TestCase):
    """A package as in site-packages, beside other packages and gin's own folder."""

    def setUp(self):
        super().setUp()
        folder = Path(self.create_tempdir())
        self.package = folder / "rethink_keras"
        for path in (self.package / "gin", folder / "gin", folder / "bin"):
            path.mkdir(parents=True)
        (folder / "bin" / "train").write_text("")  # of another package

    def test_folders_are_in_the_package(self):
        self.assertEqual(config_folder(self.package), self.package / "gin")
        self.assertIsNone(scripts_folder(self.package))

    def test_a_program_of_python_runs_in_any_folder(self):
        elsewhere = Path(self.create_tempdir())
        (elsewhere / "absl.py").write_text("raise SystemExit('a module of the present folder')")
        command = [sys.executable, *python_arguments("runs", self.package), "--help"]
        done = subprocess.run(
            command, cwd=elsewhere, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("--workdir", done.stdout)

    def test_texts_name_the_program(self):
        text = "Run bin/data prepare, 'bin/minimum_norm' or pip install -r requirements-ray.txt."
        expected = "Run rethink-keras data prepare, 'rethink-keras minimum_norm' or pip install 'rethink_keras[ray]'."
        self.assertEqual(as_typed(text, self.package), expected)

    def test_paths_stay(self):
        for text in ("/home/me/bin/train", "my-bin/train", "bin/trainer", "bin/other"):
            self.assertEqual(as_typed(text, self.package), text)


if __name__ == "__main__":
    absltest.main()
