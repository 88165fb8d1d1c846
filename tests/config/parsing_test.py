import concurrent.futures
import contextlib
import sys
import time
from pathlib import Path
from unittest import mock

import gin
from absl.testing import absltest, parameterized

import rethink_keras
from rethink_keras import config
from rethink_keras.commands import sweep, train
from rethink_keras.errors import UserError
from rethink_keras.training.config import TrainConfig  # binds its names in gin
from tests.commands.in_process import main
from tests.training.small_runs import SMALL

GIN = Path(__file__).parents[2] / "gin"


class ParseTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())

    def parse(self, **texts):
        """Parses a.gin of files with these texts."""
        for name, text in texts.items():
            (self.folder / f"{name}.gin").write_text(text)
        config.parse([self.folder / "a.gin"])

    def test_later_files_and_bindings_win(self):
        files = [GIN / "table1_mlp_1x512.gin", GIN / "with" / "random_labels.gin"]
        config.parse(files, ["train.epochs = 7"])
        self.assertEqual(config.bound("train.epochs", None), 7)
        self.assertEqual(config.bound("randomization.labels", None), "random")
        self.assertEqual(config.bound("mlp.hidden", None), "512")

    def test_nothing_stays_of_the_configuration_before(self):
        config.parse([], ["train.epochs = 7"])
        config.parse([], [])
        self.assertIsNone(config.bound("train.epochs", None))
        self.assertEqual(config.default(TrainConfig, "epochs"), 69)

    def test_missing_file_suggests_the_nearest(self):
        with self.assertRaisesRegex(UserError, "Did you mean .*table1_alexnet.gin"):
            config.parse([GIN / "table1_alexnt.gin"])

    def test_missing_include(self):
        with self.assertRaisesRegex(UserError, "nowhere.gin"):
            self.parse(a="include 'nowhere.gin'")

    @parameterized.parameters(
        ({"a": "include 'a.gin'"},), ({"a": "include 'b.gin'", "b": "include 'a.gin'"},)
    )
    def test_a_chain_of_files_that_comes_back(self, texts):
        with self.assertRaisesRegex(UserError, "includes itself"):
            self.parse(**texts)

    def test_a_file_included_twice_is_no_loop(self):
        self.parse(a="include 'b.gin'\ninclude 'b.gin'", b="train.epochs = 7")
        self.assertEqual(config.bound("train.epochs", None), 7)

    def test_includes_are_looked_up_beside_the_file_that_is_given(self):
        other = Path(self.create_tempdir())
        (other / "a.gin").write_text("include 'b.gin'")
        (other / "b.gin").write_text("train.epochs = 8")
        self.parse(a="include 'b.gin'", b="train.epochs = 7")
        config.parse([self.folder / "a.gin", other / "a.gin"])
        self.assertEqual(config.bound("train.epochs", None), 8)

    def test_includes_are_looked_up_beside_the_file_that_includes_them_first(self):
        for folder, epochs in ((self.folder, 7), (self.folder / "sub", 8)):
            folder.mkdir(exist_ok=True)
            (folder / "c.gin").write_text(f"train.epochs = {epochs}")
        (self.folder / "sub" / "b.gin").write_text("include 'c.gin'")
        self.parse(a="include 'sub/b.gin'")
        self.assertEqual(config.bound("train.epochs", None), 8)
        (self.folder / "sub" / "c.gin").unlink()
        self.parse(a="include 'sub/b.gin'")
        self.assertEqual(config.bound("train.epochs", None), 7)

    def test_includes_do_not_depend_on_the_present_folder(self):
        other = Path(self.create_tempdir())
        (other / "b.gin").write_text("train.epochs = 8")
        with contextlib.chdir(other), self.assertRaisesRegex(UserError, "b.gin"):
            self.parse(a="include 'b.gin'")

    def test_files_are_found_by_their_names_in_the_package(self):
        with contextlib.chdir(self.folder):
            config.parse(["quickstart.gin", "gin/with/random_labels.gin"], ["include 'with/dropout.gin'"])
            self.assertEqual(config.bound("randomization.labels", None), "random")
            self.assertEqual(config.bound("regularization.dropout", None), "default")
            self.parse(a="include 'speedrun/mlp_1x512_random_labels.gin'")
            self.assertEqual(config.bound("train.batch_size", None), 2000)

    def test_an_include_in_a_binding_is_looked_up_beside_the_file_that_is_given(self):
        (self.folder / "b.gin").write_text("train.epochs = 9")
        (self.folder / "a.gin").write_text("train.epochs = 8")
        config.parse([self.folder / "a.gin"], ["include 'b.gin'"])
        self.assertEqual(config.bound("train.epochs", None), 9)
        with contextlib.chdir(self.folder):
            config.parse([], ["include 'a.gin'"])
        self.assertEqual(config.bound("train.epochs", None), 8)

    def test_files_that_include_without_end(self):
        # Each doubles the files of the one after it.
        texts = {f"f{number}": f"include 'f{number + 1}.gin'\n" * 2 for number in range(11)}
        with self.assertRaisesRegex(UserError, "more than .* files"):
            self.parse(a="include 'f0.gin'\n" * 2, **texts, f11="")

    def test_binary_and_huge_files(self):
        for content in (bytes(range(256)) * 8, b"#" * 2_000_000):
            (self.folder / "a.gin").write_bytes(content)
            with self.assertRaisesRegex(UserError, "--gin_file"):
                config.parse([self.folder / "a.gin"])


class ParsedTest(absltest.TestCase):
    def test_restores_bindings_operative_values_and_finality(self):
        config.parse([], ["train.epochs = 7"])
        TrainConfig()
        resolved, operative = config.resolved(), config.operative()
        with config.parsed([], ["train.epochs = 8", "train.seed = 3"]):
            self.assertEqual(TrainConfig().epochs, 8)
            self.assertEqual(config.bound("train.seed", None), 3)
        self.assertEqual((config.resolved(), config.operative()), (resolved, operative))
        self.assertEqual(TrainConfig().epochs, 7)
        with self.assertRaises(RuntimeError):  # it is final, as before
            gin.bind_parameter("train.seed", 4)

    def test_restores_after_an_error(self):
        config.parse([], ["train.epochs = 7"])
        with self.assertRaises(UserError), config.parsed([], ["train.epoch = 8"]):
            self.fail("The configuration is wrong.")
        with self.assertRaises(ZeroDivisionError), config.parsed([], ["train.epochs = 8"]):
            _ = 1 / 0
        self.assertEqual(config.bound("train.epochs", None), 7)

    def test_restores_an_open_configuration(self):
        with config.parsed([], ["train.epochs = 8"]):
            pass
        gin.bind_parameter("train.seed", 4)
        self.assertEqual(config.bound("train.epochs", None), None)

    def test_nests(self):
        with config.parsed([], ["train.epochs = 8"]):
            with config.parsed([], ["train.epochs = 9"]):
                self.assertEqual(TrainConfig().epochs, 9)
            self.assertEqual(TrainConfig().epochs, 8)

    def test_one_thread_at_a_time(self):
        def read(epochs):
            with config.parsed([], [f"train.epochs = {epochs}"]):
                time.sleep(0.01)
                return TrainConfig().epochs

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertEqual(list(pool.map(read, range(1, 17))), list(range(1, 17)))


class ImportTest(parameterized.TestCase):
    """A gin file is code only where that is allowed."""

    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())
        name = f"foreign_{self.folder.name}"
        (self.folder / f"{name}.py").write_text(f"import gin\n@gin.configurable\ndef {name}(a=1): return a\n")
        self.enter_context(mock.patch.object(sys, "path", [*sys.path, str(self.folder)]))
        self.addCleanup(sys.modules.pop, name, None)
        self.module = name

    def parse(self, text, **options):
        (self.folder / "file.gin").write_text(text)
        (self.folder / "outer.gin").write_text("include 'file.gin'")
        config.parse([self.folder / "outer.gin"], **options)

    @parameterized.parameters(
        "import {}",
        "import {} as rethink_keras",
        "from {0} import {0}",
        "train.epochs = 3\nimport {}",
        "from __gin__ import dynamic_registration\nimport rethink_keras.system.files",
        "import rethink_keras_{}",
        "include 'again.gin'\nimport {}",
    )
    def test_foreign_code_is_refused_and_not_run(self, text):
        text = text.format(self.module)
        (self.folder / "again.gin").write_text("train.epochs = 3")
        for parse in (
            self.parse,
            lambda text: config.parse([], [text.replace("again", str(self.folder / "again"))]),
        ):
            with self.assertRaisesRegex(UserError, "imports .*--allow_imports"):
                parse(text)
            self.assertNotIn(self.module, sys.modules)

    def test_packages_are_not_searched_for_gin_files(self):
        (self.folder / "package").mkdir()
        (self.folder / "package" / "__init__.py").write_text("raise SystemExit('This ran.')")
        for name in ("package/x/y.gin", "package.x/y.gin"):
            with self.assertRaises(UserError):
                config.parse([], [f"include '{name}'"])

    def test_modules_of_this_package_are_allowed(self):
        self.parse("import rethink_keras.training.train\ntrain.epochs = 3")
        self.assertEqual(config.bound("train.epochs", None), 3)

    def test_foreign_code_where_it_is_allowed(self):
        self.parse(f"import {self.module}\n{self.module}.a = 3", allow_imports=True)
        self.assertEqual(config.bound(f"{self.module}.a", None), 3)
        with self.assertRaises(UserError):  # one allowance is for one configuration
            self.parse(f"import {self.module}")

    def test_flag(self):
        (self.folder / "file.gin").write_text(f"import {self.module}\n{self.module}.a = 3")
        flags = [f"--gin_file={self.folder / 'file.gin'}", "--print_config"]
        code, _, err = main(train, *flags)
        self.assertEqual(code, 2)
        self.assertIn("--allow_imports", err)
        code, out, _ = main(train, *flags, "--allow_imports")
        self.assertEqual(code, 0)
        self.assertIn(f"{self.module}.a = 3", out)

    def test_from_python(self):
        (self.folder / "file.gin").write_text(f"import {self.module}")
        with self.assertRaisesRegex(UserError, "allow_imports"):
            rethink_keras.run([self.folder / "file.gin"], workdir=self.folder / "run")
        with self.assertRaisesRegex(UserError, "No network"):  # it has come farther
            rethink_keras.run([self.folder / "file.gin"], workdir=self.folder / "run", allow_imports=True)

    def test_runs_of_a_sweep_are_allowed_what_the_sweep_is(self):
        base = [*SMALL, f"import {self.module}", f"{self.module}.a = 3"]
        (self.folder / "sweep.gin").write_text(
            f"sweep.groups = [@group()]\ngroup.network = 'mlp'\ngroup.base = {base}\ngroup.axes = [{{'': []}}]\n"
        )
        flags = [f"--gin_file={self.folder / 'sweep.gin'}", f"--workdir={self.folder / 's'}", "--dry_run"]
        self.assertEqual(main(sweep, *flags)[0], 2)
        code, out, _ = main(sweep, *flags, "--allow_imports")
        self.assertEqual(code, 0)
        self.assertIn("--allow_imports", out.splitlines()[-1])


if __name__ == "__main__":
    absltest.main()
