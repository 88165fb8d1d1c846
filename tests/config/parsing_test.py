import concurrent.futures
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
from tests.commands.train_test import main
from tests.training.small_runs import SMALL, new_folder

GIN = Path(__file__).parents[2] / "gin"


def parse_text(text: str) -> None:
    with new_folder() as folder:
        (folder / "file.gin").write_text(text)
        config.parse([folder / "file.gin"])


class ParseTest(parameterized.TestCase):
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

    @parameterized.parameters(
        ("train.epoch = 3", r"train has no parameter 'epoch' to bind. Did you mean 'epochs'\?"),
        ("trian.epochs = 3", r"there is no 'trian'. Did you mean 'train'\?"),
        ("train.model = @small_inceptoin", r"Did you mean 'small_inception'\?"),
        ("train.workdir = '/tmp'", "train has no parameter 'workdir'"),
        ("mlp.dropout = 0.5", "mlp has no parameter 'dropout'"),
        ("train.epochs = ", "not understood"),
        ("train.epochs 3", "not understood"),
        ("train.epochs = nonsense", "not understood"),
        ("CORRUPTOIN = 0.5", "CORRUPTOIN is set, but nothing refers to it"),
        ("train.epochs = %EPOCHS", "EPOCHS"),
    )
    def test_complaints(self, binding, message):
        with self.assertRaisesRegex(UserError, message) as caught:
            config.parse([], [binding])
        self.assertLen(caught.exception.sentence.splitlines(), 1)

    def test_missing_file_suggests_the_nearest(self):
        with self.assertRaisesRegex(UserError, "Did you mean .*table1_alexnet.gin"):
            config.parse([GIN / "table1_alexnt.gin"])

    def test_missing_include(self):
        with self.assertRaisesRegex(UserError, "nowhere.gin is not there"):
            parse_text("include 'nowhere.gin'")

    def test_file_that_includes_itself(self):
        with self.assertRaisesRegex(UserError, "includes itself"):
            parse_text("include 'file.gin'")

    def test_a_chain_of_files_that_comes_back(self):
        with new_folder() as folder, self.assertRaisesRegex(UserError, "includes itself"):
            (folder / "a.gin").write_text("include 'b.gin'")
            (folder / "b.gin").write_text("include 'a.gin'")
            config.parse([folder / "a.gin"])

    def test_a_file_included_twice_is_no_loop(self):
        with new_folder() as folder:
            (folder / "a.gin").write_text("include 'b.gin'\ninclude 'b.gin'")
            (folder / "b.gin").write_text("train.epochs = 7")
            config.parse([folder / "a.gin"])
            self.assertEqual(config.bound("train.epochs", None), 7)

    def test_files_that_include_without_end(self):
        with new_folder() as folder, self.assertRaisesRegex(UserError, "more than .* files"):
            for number in range(12):  # each doubles the files of the one after it
                (folder / f"{number}.gin").write_text(f"include '{number + 1}.gin'\n" * 2)
            (folder / "12.gin").write_text("")
            config.parse([folder / "0.gin"])

    @parameterized.parameters("[", "(", "{1: ")
    def test_brackets(self, bracket):
        closing = {"[": "]", "(": ")", "{1: ": "}"}[bracket]
        for depth in (60, 500, 100_000):
            text = f"train.epochs = {bracket * depth}1{closing * depth}"
            for parse in (parse_text, lambda binding: config.parse([], [binding])):
                if depth == 60 and bracket == "(":
                    continue  # these mean nothing to Python
                with self.assertRaisesRegex(UserError, "nested too deeply"):
                    parse(text)

    @parameterized.parameters(
        "9" * 400, f"-{'9' * 400}", f"0x{'f' * 5_000}", "{'a': (1, [" + "9" * 400 + "])}"
    )
    def test_numbers_of_hundreds_of_digits(self, text):
        with self.assertRaisesRegex(UserError, "number .* too large"):
            config.parse([], [f"train.seed = {text}"])

    def test_half_a_character(self):
        with self.assertRaisesRegex(UserError, "character"):
            config.parse([], [r"train.strategy = '\ud800'"])

    def test_binary_and_huge_files(self):
        with new_folder() as folder:
            (folder / "binary.gin").write_bytes(bytes(range(256)) * 8)
            with self.assertRaises(UserError):
                config.parse([folder / "binary.gin"])
            (folder / "huge.gin").write_bytes(b"#" * 2_000_000)
            with self.assertRaisesRegex(UserError, "no gin file"):
                config.parse([folder / "huge.gin"])


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
        self.folder = self.enter_context(new_folder())
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
        self.parse("import rethink_keras.training.trainer\ntrain.epochs = 3")
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
