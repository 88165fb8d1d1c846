import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from unittest import mock

from absl.testing import absltest, parameterized

from rethink_keras.commands import demo, train
from tests.training.small_runs import SMALL, new_folder

ROOT = Path(__file__).parents[2]


def main(command, *arguments):
    """Exit code, stdout and stderr of a command run in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = command.main(["command", *arguments])
    return code, out.getvalue(), err.getvalue()


def small(*bindings):
    return [f"--gin_param={binding}" for binding in (*SMALL, *bindings)]


class TrainCommandTest(parameterized.TestCase):
    def test_trains_and_says_what_it_wrote(self):
        with new_folder() as folder:
            code, out, err = main(train, *small(), f"--workdir={folder}", "--seed=7")
            self.assertEqual((code, err), (0, ""))
            self.assertRegex(
                out,
                r"003: Acc-tr: \d+\.\d\d, Acc-te: \d+\.\d\d, L-tr: \d\.\d{4}, L-te: \d\.\d{4}, lr: 0.04513, \d+\.\ds",
            )
            self.assertIn(f"Wrote {folder}: checkpoints, config.gin, metrics.csv", out)
            self.assertEqual(json.loads((folder / "summary.json").read_text())["seed"], 7)

    def test_threads_are_held_to_and_told(self):
        with new_folder() as folder:
            command = [
                sys.executable,
                str(ROOT / "bin" / "train"),
                *small(),
                f"--workdir={folder}",
                "--threads=1",
            ]
            subprocess.run(command, check=True, capture_output=True)
            self.assertEndsWith(
                json.loads((folder / "summary.json").read_text())["device"], " cores, 1 thread"
            )
        code, _, err = main(train, "--threads=0")
        self.assertEqual(code, 2)
        self.assertIn("--threads", err)

    def test_saved_configuration_is_enough_to_run_again(self):
        with new_folder() as folder:
            main(train, *small("randomization.labels = 'random'"), f"--workdir={folder / 'a'}")
            main(train, f"--gin_file={folder / 'a' / 'config.gin'}", f"--workdir={folder / 'b'}")
            first, second = (json.loads((folder / n / "summary.json").read_text()) for n in "ab")
            self.assertEqual(first["fingerprints"], second["fingerprints"])

    def test_print_config(self):
        code, out, _ = main(train, *small(), "--print_config", "--seed=3")
        self.assertEqual(code, 0)
        self.assertIn("train.seed = 3", out)
        self.assertIn("train.model = @mlp", out)

    def test_what_nothing_uses_is_said(self):
        with new_folder() as folder:
            _, out, _ = main(train, *small("adam.epsilon = 1e-3"), f"--workdir={folder}")
        self.assertIn("Note: adam.epsilon is configured, but nothing in this run uses it.", out)

    @parameterized.named_parameters(
        ("misspelt_binding", ["--gin_param=train.epoch = 3"], "Did you mean 'epochs'?"),
        ("unknown_model", ["--gin_param=train.model = @resnet"], "there is no 'resnet'"),
        ("no_model", [], "No network is configured"),
        ("missing_gin_file", ["--gin_file=gin/nothing.gin"], "There is no gin file gin/nothing.gin"),
        (
            "p_outside",
            small("randomization.labels = 'partially_corrupted'", "randomization.corruption = 1.5"),
            "1.5",
        ),
        ("crop_too_large", small("preprocessing.crop = 28"), "the images are 8 x 8 pixels"),
        ("batch_size_0", small("train.batch_size = 0"), "train.batch_size is 0"),
        ("unknown_dataset", small("dataset.name = 'cifar'"), "There is no data set 'cifar'"),
        ("unknown_flag", ["--workdirr=x"], "Unknown command line flag 'workdirr'. Did you mean: workdir"),
        ("no_flag", ["gin/quickstart.gin"], "'gin/quickstart.gin' is no flag"),
        ("bad_seed", [*small(), "--seed=-4"], "train.seed is -4"),
        ("bad_seed_word", [*small(), "--seed=four"], "--seed"),
    )
    def test_bad_input_exits_2_with_a_sentence(self, arguments, message):
        with new_folder() as folder:
            code, _, err = main(train, f"--workdir={folder}", *arguments)
        self.assertEqual(code, 2)
        self.assertIn(message, err)
        self.assertLen(err.splitlines(), 1)

    def test_unwritable_workdir_exits_2(self):
        with new_folder() as folder:
            (folder / "file").write_text("")
            code, _, err = main(train, *small(), f"--workdir={folder / 'file' / 'run'}")
        self.assertEqual(code, 2)
        self.assertIn("cannot be written", err)

    def test_missing_data_exits_3_and_names_the_ways_out(self):
        nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
        with new_folder() as folder, mock.patch.dict(os.environ, nowhere):
            arguments = small("dataset.name = 'fashion_mnist'")
            code, _, err = main(train, *arguments, f"--workdir={folder / 'run'}", f"--data_dir={folder}")
        self.assertEqual(code, 3)
        for way in ("Connect to the network", "--archive", "TFDS_DATA_DIR", "gin/quickstart.gin"):
            self.assertIn(way, err)

    def test_divergence_exits_4(self):
        with new_folder() as folder:
            code, _, err = main(train, *small("train.learning_rate = 1e30"), f"--workdir={folder}")
        self.assertEqual(code, 4)
        self.assertIn("The loss is not finite", err)

    def test_debug_shows_the_traceback(self):
        _, _, err = main(train, "--gin_param=train.epoch = 3", "--debug")
        self.assertIn("Traceback", err)


class ScriptTest(absltest.TestCase):
    def test_bin_train_without_a_workdir_trains_into_runs(self):
        with new_folder() as folder:
            command = [
                sys.executable,
                ROOT / "bin" / "train",
                f"--gin_file={ROOT / 'gin' / 'quickstart.gin'}",
            ]
            few = ["--gin_param=train.epochs = 1", "--gin_param=dataset.train_examples = 64"]
            output = subprocess.run([*command, *few], cwd=folder, capture_output=True, text=True, check=False)
            self.assertEqual((output.returncode, output.stderr), (0, ""))
            self.assertIn("Training in runs/quickstart", output.stdout)
            self.assertTrue((folder / "runs" / "quickstart" / "summary.json").exists())

    def test_help_needs_no_tensorflow(self):
        code = "import sys; from rethink_keras.commands import train; train.main(['x', '--help']); print(*sys.modules)"
        output = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        self.assertIn("bin/train --gin_file=gin/table1_mlp_1x512.gin", output.stdout)
        modules = output.stdout.splitlines()[-1].split()
        self.assertEmpty({"tensorflow", "keras", "matplotlib", "tensorflow_datasets"} & set(modules))


class DemoTest(absltest.TestCase):
    def test_ends_with_a_table_and_a_picture(self):
        with new_folder() as folder, mock.patch.object(demo, "EPOCHS", 2):
            code, out, _ = main(demo, f"--workdir={folder}")
            self.assertEqual(code, 0)
            self.assertRegex(out, r"true labels +\d+\.\d\d% +\d+\.\d\d%")
            self.assertRegex(out, r"random labels +\d+\.\d\d% +\d+\.\d\d% +not fitted")
            self.assertStartsWith((folder / "learning_curves.png").read_bytes(), b"\x89PNG")


if __name__ == "__main__":
    absltest.main()
