import contextlib
import shlex
from pathlib import Path
from unittest import mock

from absl.testing import absltest
from hypothesis import given
from hypothesis import strategies as st

from rethink_keras.experiments import paths
from rethink_keras.experiments.paths import ROOT, stored_path, typed_command, typed_path


class PathsTest(absltest.TestCase):
    def test_the_root_is_the_projects_folder(self):
        self.assertTrue((ROOT / "bin" / "sweep").is_file())

    def test_stored_paths_are_relative_in_the_project_alone(self):
        elsewhere = Path(self.create_tempdir())
        self.assertEqual(stored_path(ROOT / "gin" / "x.gin"), "gin/x.gin")
        self.assertEqual(stored_path(elsewhere / "x.gin"), str(elsewhere.resolve() / "x.gin"))
        with contextlib.chdir(elsewhere):
            self.assertEqual(stored_path("x.gin"), str(elsewhere.resolve() / "x.gin"))

    def test_typed_paths_mean_the_same_typed_in_the_present_folder(self):
        with contextlib.chdir(ROOT):
            self.assertEqual(typed_path(ROOT / "gin"), Path("gin"))
            self.assertEqual(typed_path(Path("runs")), Path("runs"))
        with contextlib.chdir(self.create_tempdir()):
            self.assertEqual(typed_path(Path("runs")), Path.cwd() / "runs")
            self.assertEqual(typed_command("train"), str(ROOT / "bin" / "train"))

    def test_typed_as_for_an_installed_package(self):
        here = self.enter_context(contextlib.chdir(self.create_tempdir())) or Path.cwd()
        with mock.patch.object(paths, "scripts_folder", lambda: None):
            self.assertEqual(typed_command("train", "--seed=1"), "rethink-keras train --seed=1")
            self.assertEqual(typed_path(ROOT / "gin" / "with" / "dropout.gin"), Path("with/dropout.gin"))
            self.assertEqual(typed_path(Path("runs")), here / "runs")
            (here / "quickstart.gin").write_text("")  # what the name alone would mean here
            self.assertEqual(typed_path(ROOT / "gin" / "quickstart.gin"), ROOT / "gin" / "quickstart.gin")

    @given(st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r"), min_size=1))
    def test_a_shell_understands_the_command_as_it_is(self, text):
        flag = f"--gin_param={text}"
        self.assertEqual(shlex.split(typed_command("train", flag))[1:], [flag])


if __name__ == "__main__":
    absltest.main()
