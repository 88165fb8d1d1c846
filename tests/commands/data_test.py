import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest import mock

import matplotlib.image
import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.commands import data
from rethink_keras.data.sources.tfds_source import Mnist
from rethink_keras.errors import UserError
from tests.commands.in_process import main
from tests.data.helpers import digits_elsewhere

ROOT = Path(__file__).resolve().parents[2]
QUICKSTART = f"--gin_file={ROOT / 'gin' / 'quickstart.gin'}"
RANDOM_LABELS = f"--gin_file={ROOT / 'gin' / 'with' / 'random_labels.gin'}"
PROXIES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
NO_NETWORK = {**dict.fromkeys(PROXIES, "http://127.0.0.1:9"), "no_proxy": "", "NO_PROXY": ""}


def parameter(text):
    return f"--gin_param={text}"


class DataTestCase(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        cls.home = digits_elsewhere(cls)

    def setUp(self):
        super().setUp()
        self.addCleanup(config.clear)

    def run_here(self, *arguments):
        """Exit code, stdout and stderr of `bin/data`."""
        return main(data, *arguments)

    def assert_refused(self, expected_code, err, code, *words):
        self.assertEqual(code, expected_code, err)
        self.assertLen(err.splitlines(), 1, err)
        self.assertRegex(err, "[.?]\n$")
        self.assertNotIn("Traceback", err)
        for word in words:
            self.assertIn(word, err)


class DataTest(DataTestCase):
    def export(self, *arguments, name="export.npz"):
        output = self.folder / name
        code, out, err = self.run_here("export", QUICKSTART, *arguments, f"--output={output}")
        self.assertEqual(code, 0, err)
        with np.load(output, allow_pickle=False) as arrays:
            return dict(arrays), out

    def test_export(self):
        got, out = self.export(RANDOM_LABELS)
        self.assertEqual(got["images"].shape, (1438, 8, 8, 1))
        self.assertEqual(got["images"].dtype, np.uint8)
        self.assertEqual(got["original_labels"][:8].tolist(), [0, 1, 2, 3, 5, 6, 7, 8])
        self.assertEqual(got["labels"][:8].tolist(), [8, 8, 8, 9, 6, 7, 0, 7])
        np.testing.assert_array_equal(got["ids"], np.arange(1438))
        self.assertTrue(got["corrupted"].all())
        for words in ("1,438 train examples of digits", "random labels", "1,438 labels drawn anew"):
            self.assertIn(words, out)

    def test_export_of_the_test_set(self):
        got, out = self.export(RANDOM_LABELS, "--split=test")
        self.assertLen(got["labels"], 359)
        np.testing.assert_array_equal(got["labels"], got["original_labels"])
        self.assertIn("359 test examples of digits, random labels, 0 labels drawn anew", out)

    def test_export_crops_and_randomizes_pixels(self):
        crop = parameter("preprocessing.crop = 6")
        pixels = parameter("randomization.pixels = 'gaussian'")
        got, _ = self.export(crop, pixels, parameter("dataset.train_examples = 100"))
        self.assertEqual(got["images"].shape, (100, 6, 6, 1))
        self.assertEqual(got["images"].dtype, np.float32)
        self.assertFalse(got["corrupted"].any())

    def test_seed(self):
        first, _ = self.export(RANDOM_LABELS)
        other, _ = self.export(RANDOM_LABELS, "--seed=1")
        maps_own, _ = self.export(RANDOM_LABELS, "--seed=1", parameter("randomization.seed = 0"))
        self.assertFalse(np.array_equal(first["labels"], other["labels"]))
        np.testing.assert_array_equal(first["labels"], maps_own["labels"])

    def test_preview(self):
        output = self.folder / "preview.png"
        code, out, err = self.run_here("preview", QUICKSTART, "--columns=2", f"--output={output}")
        self.assertEqual((code, err), (0, ""))
        self.assertIn(str(output), out)
        height, width, _ = matplotlib.image.imread(output).shape
        self.assertBetween(height, 900, 1400)
        self.assertBetween(width, 300, 800)

    def test_prepare_the_embedded_digits(self):
        code, out, err = self.run_here("prepare", "--dataset=digits")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("digits is ready in", out)

    @parameterized.parameters(1, 4)
    def test_prepare_from_archives(self, count):
        archives = [self.folder / f"{k}.gz" for k in range(count)]
        with mock.patch.object(Mnist, "prepare", return_value="THERE") as prepare:
            flags = [f"--archive={archive}" for archive in archives]
            code, out, err = self.run_here("prepare", "--dataset=mnist", *flags, "--data_dir=DATA")
        self.assertEqual((code, err), (0, ""))
        prepare.assert_called_once_with("DATA", archives)
        self.assertIn("mnist is ready in THERE", out)

    def test_each_file_and_parameter_is_parsed_once(self):
        with mock.patch.object(config, "parse", side_effect=UserError("Stop.")) as parse:
            self.run_here(
                "export", "--gin_file=a", "--gin_file=b", "--gin_param=c", "--seed=1", "--output=a.npz"
            )
        parse.assert_called_once_with(["a", "b"], ["c", "train.seed = 1"], allow_imports=False)

    def test_help(self):
        code, out, err = self.run_here("--help")
        self.assertEqual((code, err), (0, ""))
        for words in ("bin/data prepare", "bin/data export", "bin/data preview", "--output", "--archive"):
            self.assertIn(words, out)

    @parameterized.parameters(
        ([], ["No action is named", "prepare, export, preview", "--help"]),
        (["exprot"], ["'exprot' is no action", "prepare, export, preview"]),
        (["export"], ["No file to write", "--output=FILE.npz"]),
        (["preview"], ["No file to write", "--output=FILE.png"]),
        (["export", "--output=a.png"], ["a.png", ".npz"]),
        (["preview", "--output=a.npz"], ["a.npz", ".png"]),
        (["export", "--output=a.npz", "--split=validation"], ["--split is 'validation'", "'train', 'test'"]),
        (["preview", "--output=a.png", "--columns=0"], ["--columns is 0", "from 1 to"]),
        (["preview", "--output=a.png", "--columns=many"], ["columns", "--help"]),
        (["export", "--output=a.npz", "--gin_file=gin/absent.gin"], ["no gin file gin/absent.gin"]),
        (["export", "--outptu=a.npz"], ["outptu", "--help"]),
        (["export", "a.npz"], ["'a.npz'", "--help"]),
        (["a.npz", "export"], ["'export'", "--help"]),
        (["prepare"], ["No data set is named", "--dataset="]),
        (["prepare", "--dataset=cifar"], ["--dataset is 'cifar'", "'cifar10'"]),
        (["prepare", "--dataset=mnist", "--archive=absent.gz"], ["no archive absent.gz"]),
    )
    def test_wrong_usage(self, arguments, words):
        code, out, err = self.run_here(*arguments)
        self.assert_refused(2, err, code, *words)
        self.assertEqual(out, "")

    @parameterized.parameters(
        (
            ["randomization.labels = 'partially_corrupted'", "randomization.corruption = 1.5"],
            ["randomization.corruption is 1.5", "between 0 and 1"],
        ),
        (["randomization.labels = 'partially_corrupted'"], ["without a probability"]),
        (["randomization.labels = 'randm'"], ["randomization.labels is 'randm'", "'random'"]),
        (["randomization.lables = 'random'"], ["lables", "Did you mean 'labels'"]),
        (["preprocessing.crop = 9"], ["preprocessing.crop is 9", "8 x 8"]),
        (["dataset.name = 'cifar'"], ["'cifar'", "cifar10"]),
        (["dataset.train_examples = 5000"], ["dataset.train_examples (of digits) is 5000", "1438"]),
        (["randomization.seed = -1"], ["randomization.seed is -1"]),
        (["train.seed = -1"], ["train.seed is -1"]),
        (["train.seed = None"], ["train.seed is None"]),
    )
    def test_wrong_configuration(self, bindings, words):
        output = self.folder / "refused.npz"
        arguments = ["export", QUICKSTART, f"--output={output}", *map(parameter, bindings)]
        code, out, err = self.run_here(*arguments)
        self.assert_refused(2, err, code, *words)
        self.assertEqual(out, "")
        self.assertFalse(output.exists())

    def test_file_that_cannot_be_written(self):
        (self.folder / "file").write_text("")
        output = self.folder / "file" / "a.npz"
        code, _, err = self.run_here("export", QUICKSTART, f"--output={output}")
        self.assert_refused(2, err, code, f"{output} cannot be written", "--output")

    @parameterized.parameters("export", "prepare")
    def test_data_that_are_not_there(self, action):
        empty = self.folder / "empty"
        empty.mkdir(exist_ok=True)
        which = ["--dataset=fashion_mnist"]
        if action == "export":
            which = [QUICKSTART, parameter("dataset.name = 'fashion_mnist'"), "--output=a.npz"]
        with mock.patch.dict(os.environ, NO_NETWORK):
            code, _, err = self.run_here(action, *which, f"--data_dir={empty}")
        self.assert_refused(3, err, code, str(empty), "--archive", "TFDS_DATA_DIR", "gin/quickstart.gin")
        self.assertEqual(list(empty.iterdir()), [])


class ProcessTest(DataTestCase):
    def run_alone(self, *arguments):
        """A process of its own, whose home holds the digits that the tests here have prepared."""
        environment = {**os.environ, **NO_NETWORK, "HOME": str(self.home)}
        command = [sys.executable, str(ROOT / "bin" / "data"), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)

    def test_exports_of_two_processes_are_equal_to_the_bit(self):
        self.run_here("prepare", "--dataset=digits")
        files = [self.folder / name for name in ("here.npz", "alone.npz")]
        arguments = ["export", QUICKSTART, RANDOM_LABELS, parameter("randomization.pixels = 'gaussian'")]
        code, out, _ = self.run_here(*arguments, f"--output={files[0]}")
        self.assertEqual(code, 0)
        ran = self.run_alone(*arguments, f"--output={files[1]}")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertEqual(ran.stdout, out.replace("here.npz", "alone.npz"))
        self.assertEqual(files[0].read_bytes(), files[1].read_bytes())

    def test_exit_code_and_sentence(self):
        ran = self.run_alone("exprot")
        self.assert_refused(2, ran.stderr, ran.returncode, "'exprot' is no action")


if __name__ == "__main__":
    absltest.main()
