import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from unittest import mock

from absl.testing import absltest, parameterized

from rethink_keras.commands import runs, train
from tests.commands.in_process import main, small

ROOT = Path(__file__).parents[2]


class TrainCommandTest(parameterized.TestCase):
    def test_trains_and_lists_what_it_wrote(self):
        folder = Path(self.create_tempdir())
        code, out, err = main(train, *small(), f"--workdir={folder}", "--seed=7")
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(
            out,
            r"003: Acc-tr: \d+\.\d\d, Acc-te: \d+\.\d\d, L-tr: \d\.\d{4}, L-te: \d\.\d{4}, lr: 0.04513, \d+\.\ds",
        )
        self.assertIn(f"Wrote {folder}: checkpoints, config.gin, curves.png, metrics.csv", out)
        self.assertEqual(json.loads((folder / "summary.json").read_text())["seed"], 7)

    def test_a_few_lines_at_the_start_and_the_time_to_go(self):
        folder = Path(self.create_tempdir())
        _, out, _ = main(train, *small("randomization.labels = 'random'"), f"--workdir={folder}")
        lines = out.splitlines()
        labels = [line.partition(":")[0] for line in lines[1:6]]
        self.assertEqual(labels, ["Device", "Data", "Regularization", "Network", "Epochs"])
        self.assertStartsWith(lines[0], f"Training in {folder}")
        self.assertRegex(lines[6], "^001: .* to go$")
        self.assertIn("digits", lines[2])
        self.assertIn("random labels", lines[2])

    def test_the_command_that_lists_all_runs_lists_this_one(self):
        folder = Path(self.create_tempdir())
        _, out, _ = main(train, *small(), f"--workdir={folder / 'my runs' / 'one'}")
        command = shlex.split(out.splitlines()[-1].removeprefix("All runs: "))
        self.assertEqual(Path(command[0]).parts[-2:], ("bin", "runs"))
        code, listed, _ = main(runs, *command[1:], "--json")
        self.assertEqual(code, 0)
        self.assertEqual([row["run"] for row in json.loads(listed)], ["one"])

    def test_threads(self):
        folder = Path(self.create_tempdir())
        command = [
            sys.executable,
            str(ROOT / "bin" / "train"),
            *small(),
            f"--workdir={folder}",
            "--threads=1",
        ]
        subprocess.run(command, check=True, capture_output=True)
        self.assertEndsWith(json.loads((folder / "summary.json").read_text())["device"], " cores, 1 thread")
        code, _, err = main(train, "--threads=0")
        self.assertEqual(code, 2)
        self.assertIn("--threads", err)

    def test_saved_configuration_is_enough_to_run_again(self):
        folder = Path(self.create_tempdir())
        main(train, *small("randomization.labels = 'random'"), f"--workdir={folder / 'a'}")
        main(train, f"--gin_file={folder / 'a' / 'config.gin'}", f"--workdir={folder / 'b'}")
        first, second = (json.loads((folder / n / "summary.json").read_text()) for n in "ab")
        self.assertEqual(first["fingerprints"], second["fingerprints"])

    def test_print_config(self):
        code, out, _ = main(train, *small(), "--print_config", "--seed=3")
        self.assertEqual(code, 0)
        self.assertIn("train.seed = 3", out)
        self.assertIn("train.model = @mlp", out)

    def test_what_nothing_uses_is_noted(self):
        folder = Path(self.create_tempdir())
        _, out, _ = main(train, *small("adam.epsilon = 1e-3"), f"--workdir={folder}")
        self.assertRegex(out, "Note: .*adam.epsilon")

    @parameterized.named_parameters(
        ("misspelt_binding", ["--gin_param=train.epoch = 3"], "'epochs'"),
        ("unknown_model", ["--gin_param=train.model = @resnet"], "'resnet'"),
        ("no_model", [], "train.model"),
        ("missing_gin_file", ["--gin_file=gin/nothing.gin"], "gin/nothing.gin"),
        (
            "p_outside",
            small("randomization.labels = 'partially_corrupted'", "randomization.corruption = 1.5"),
            "1.5",
        ),
        ("crop_too_large", small("preprocessing.crop = 28"), "8 x 8"),
        ("batch_size_0", small("train.batch_size = 0"), "train.batch_size"),
        ("unknown_dataset", small("dataset.name = 'cifar'"), "'cifar'"),
        ("unknown_flag", ["--workdirr=x"], "workdirr"),
        ("no_flag", ["gin/quickstart.gin"], "gin/quickstart.gin"),
        ("bad_seed", [*small(), "--seed=-4"], "train.seed"),
        ("bad_seed_word", [*small(), "--seed=four"], "--seed"),
    )
    def test_bad_input_exits_2_with_a_sentence(self, arguments, message):
        folder = Path(self.create_tempdir())
        code, _, err = main(train, f"--workdir={folder}", *arguments)
        self.assertEqual(code, 2)
        self.assertIn(message, err)
        self.assertLen(err.splitlines(), 1)

    def test_unwritable_workdir_exits_2(self):
        folder = Path(self.create_tempdir())
        (folder / "file").write_text("")
        code, _, err = main(train, *small(), f"--workdir={folder / 'file' / 'run'}")
        self.assertEqual(code, 2)
        self.assertIn("cannot be written", err)

    def test_missing_data_exits_3_and_names_the_ways_out(self):
        nowhere = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
        folder = Path(self.create_tempdir())
        with mock.patch.dict(os.environ, nowhere):
            arguments = small("dataset.name = 'fashion_mnist'")
            code, _, err = main(train, *arguments, f"--workdir={folder / 'run'}", f"--data_dir={folder}")
        self.assertEqual(code, 3)
        for way in ("Connect to the network", "--archive", "TFDS_DATA_DIR", "gin/quickstart.gin"):
            self.assertIn(way, err)

    def test_divergence_exits_4(self):
        folder = Path(self.create_tempdir())
        code, _, err = main(train, *small("train.learning_rate = 1e30"), f"--workdir={folder}")
        self.assertEqual(code, 4)
        self.assertIn("loss", err)

    def test_debug_shows_the_traceback(self):
        _, _, err = main(train, "--gin_param=train.epoch = 3", "--debug")
        self.assertIn("Traceback", err)


class ScriptTest(absltest.TestCase):
    def test_bin_train_without_a_workdir_trains_into_runs(self):
        folder = Path(self.create_tempdir())
        command = [
            sys.executable,
            ROOT / "bin" / "train",
            f"--gin_file={ROOT / 'gin' / 'quickstart.gin'}",
        ]
        few = ["--gin_param=train.epochs = 1", "--gin_param=dataset.train_examples = 64"]
        output = subprocess.run([*command, *few], cwd=folder, capture_output=True, text=True, check=False)
        self.assertEqual((output.returncode, output.stderr), (0, ""))
        self.assertIn("Training in runs/quickstart", output.stdout)
        self.assertRegex(output.stdout, r"All runs: \S+bin/runs\n$")
        self.assertTrue((folder / "runs" / "quickstart" / "summary.json").exists())

    def test_help_needs_no_tensorflow(self):
        code = "import sys; from rethink_keras.commands import train; train.main(['x', '--help']); print(*sys.modules)"
        output = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        self.assertIn("bin/train --gin_file=gin/table1_mlp_1x512.gin", output.stdout)
        modules = output.stdout.splitlines()[-1].split()
        self.assertEmpty({"tensorflow", "keras", "matplotlib", "tensorflow_datasets"} & set(modules))


if __name__ == "__main__":
    absltest.main()
