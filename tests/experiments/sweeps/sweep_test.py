import dataclasses
import os
from pathlib import Path
from unittest import mock

from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.errors import UserError
from rethink_keras.experiments.engines.local import Local
from rethink_keras.experiments.sweeps import sweep
from rethink_keras.system import machine
from tests.experiments.small_sweeps import write_gin

ROOT = Path(__file__).parents[3]
SWEEPS = ROOT / "gin" / "sweeps"
BAD_NAMES = ("..", ".", "", "a/b", "../a", "a\\b", "a\nb", "a\0b", "\x1b[31mred", " a", "x" * 256)
RUNS = {
    "table1": 19,
    "table2": 7,
    "table4": 6,
    "figure1a": 5,
    "figure1b_1c": 33,
    "figure2a": 3,
    "figure2b": 2,
    "small/table1": 8,
    "small/table4": 2,
    "small/figure1a": 5,
    "small/figure1b_1c": 6,
}


def planned(path, *bindings, run_threads=1):
    config.parse([path], bindings)
    return sweep.Sweep().plan([str(path)], bindings, run_threads)


class SweepTest(parameterized.TestCase):
    @parameterized.parameters(*RUNS.items())
    def test_sweeps_of_the_paper_are_laid_out(self, name, count):
        manifest = planned(SWEEPS / f"{name}.gin")
        self.assertLen(manifest.runs, count)
        self.assertEqual(manifest.paper_result, name.rsplit("/", 1)[-1])
        self.assertEqual(manifest.size, "small" if "/" in name else "full")

    def test_every_level_has_its_own_configuration(self):
        runs = planned(SWEEPS / "figure1b_1c.gin").runs
        self.assertLen({run.fingerprint for run in runs}, len(runs))
        config.parse([ROOT / f for f in runs[-4].gin_files], runs[-4].bindings)
        self.assertEqual(runs[-4].variant, "corruption_0.7")
        self.assertEqual(config.bound("randomization.corruption", None), 0.7)
        self.assertEqual(config.bound("train.epochs", None), 100)

    def test_a_product_of_axes_and_seeds(self):
        folder = Path(self.create_tempdir())
        path = write_gin(folder)
        axes = """mlp/group.axes = [
            {'': [], 'a': ['train.epochs = 4']}, {'': [], 'b': ["mlp.hidden = '8'"]}]"""
        runs = planned(path, axes, "sweep.seeds = [3, 5]").runs
        self.assertEqual([run.variant for run in runs[::2]], ["plain", "b", "a", "a+b"])
        self.assertEqual([run.seed for run in runs[:2]], [3, 5])
        self.assertEqual(runs[-1].name, "mlp/a+b/seed_5")
        self.assertEqual((runs[-1].epochs, runs[-1].images), (4, 4 * 300))

    @parameterized.parameters(
        ("sweep.groups = []", "The sweep has no runs"),
        ("sweep.seeds = []", "The sweep has no runs"),
        ("sweep.seeds = [0, 0]", "two runs named mlp/plain/seed_0"),
        ("sweep.seeds = [-1]", "sweep.seeds is -1"),
        ("sweep.size = 'tiny'", "sweep.size is 'tiny'"),
        ("sweep.engine = 'slurm'", "Choose one of 'local', 'ray'"),
        ("sweep.threads = 0", "sweep.threads is 0"),
        ("sweep.overlays = ['nothing.gin']", "nothing.gin"),
        ("sweep.overlays = ['train.epoch = 3']", "Did you mean 'epochs'"),
        ("sweep.overlays = [\"dataset.name = 'cifar'\"]", "dataset.name is 'cifar'"),
        *((f"mlp/group.network = {name!r}", "group.network is") for name in BAD_NAMES),
        *((f"mlp/group.axes = [{{{name!r}: []}}]", "names a variant") for name in BAD_NAMES if name),
        ("mlp/group.network = '\\ud800'", "half a character"),
        ("mlp/group.axes = [{'corruption_1e999': []}]", "corruption from 0 to 1"),
        ("mlp/group.axes = [{'corruption_nan': []}]", "corruption from 0 to 1"),
        ("mlp/group.axes = [{'corruption_-0.1': []}]", "corruption from 0 to 1"),
        ("sweep.overlays = ['train.epochs = 0']", "train.epochs is 0"),
        ("sweep.overlays = ['train.epochs = 1000000']", "train.epochs"),
        ("sweep.overlays = ['dataset.train_examples = -1']", "dataset.train_examples is -1"),
        ("sweep.overlays = ['dataset.train_examples = 0']", "dataset.train_examples is 0"),
        ("sweep.retries = 2147483647", "sweep.retries is"),
        ("sweep.threads = 2147483647", "sweep.threads is"),
        ("sweep.groups = [@mlp/group]", "does not fit"),
        ("sweep.groups = [@evaluation()]", "does not fit"),
        ("sweep.groups = @mlp/group()", "does not fit"),
    )
    def test_bad_sweeps_are_told(self, binding, message):
        folder = Path(self.create_tempdir())
        with self.assertRaisesRegex(UserError, message):
            planned(write_gin(folder), binding)

    def test_gin_files_are_named_the_same_from_every_folder(self):
        root = Path.cwd()
        expected = planned(SWEEPS / "small" / "table4.gin")
        folder = Path(self.create_tempdir())
        try:
            os.chdir(folder)
            relative = Path(os.path.relpath(SWEEPS / "small" / "table4.gin"))
            self.assertEqual(planned(relative), expected)
        finally:
            os.chdir(root)
        self.assertEqual(expected.gin_files, ("gin/sweeps/small/table4.gin",))

    def test_the_present_configuration_stays(self):
        path = write_gin(Path(self.create_tempdir()))
        planned(path)
        self.assertLen(sweep.Sweep().groups, 1)

    def test_threads_are_those_with_which_the_sweep_began(self):
        folder = Path(self.create_tempdir())
        path = write_gin(folder)
        with mock.patch.object(machine, "cores", lambda: 8):
            manifest = planned(path, run_threads=3)
            self.assertEqual(sweep.Sweep().threads_in(folder, Local()), 4)  # two runs on eight cores
            manifest.write(folder)
            self.assertEqual(sweep.Sweep().threads_in(folder, Local()), 3)
            self.assertEqual(dataclasses.replace(sweep.Sweep(), threads=2).threads_in(folder, Local()), 2)

    def test_a_new_sweep_asks_its_engine_and_connects_only_if_it_may(self):
        folder = Path(self.create_tempdir())
        planned(write_gin(folder))
        engine = mock.create_autospec(Local, instance=True)
        sweep.Sweep().threads_in(folder, engine, connect=False)
        engine.threads.assert_called_once_with(2, False)


if __name__ == "__main__":
    absltest.main()
