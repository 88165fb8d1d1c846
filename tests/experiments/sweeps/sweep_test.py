import os
from pathlib import Path
from unittest import mock

from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.errors import UserError
from rethink_keras.experiments.sweeps import sweep, threads
from rethink_keras.system import machine
from tests.experiments.small_sweeps import write_gin
from tests.training.small_runs import new_folder

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
    return sweep.Sweep().manifest([str(path)], bindings, run_threads)


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
        with new_folder() as folder:
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
        ("sweep.overlays = ['nothing.gin']", "The gin file nothing.gin is in none of"),
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
        with new_folder() as folder, self.assertRaisesRegex(UserError, message):
            planned(write_gin(folder), binding)

    def test_another_configuration_in_the_folder_is_refused(self):
        with new_folder() as folder:
            path = write_gin(folder)
            planned(path).write(folder)
            sweep.check_same(folder, planned(path, "sweep.seeds = [0, 1]"))  # more runs are welcome
            with self.assertRaisesRegex(
                UserError, r"(?s)another mlp/plain/seed_0.*\+--gin_param=train.epochs = 9"
            ):
                sweep.check_same(folder, planned(path, "sweep.overlays = ['train.epochs = 9']"))
            path.write_text(path.read_text().replace("train.epochs = 3", "train.epochs = 5"))
            with self.assertRaisesRegex(UserError, "another mlp/plain/seed_0"):
                sweep.check_same(folder, planned(path))

    def test_gin_files_may_change_while_configurations_stay(self):
        with new_folder() as folder:
            path = write_gin(folder)
            before = planned(path)
            before.write(folder)
            (folder / "epochs.gin").write_text("train.epochs = 3\n")
            now = planned(path, "sweep.overlays = ['epochs.gin']")
            self.assertNotEqual(now.runs[0].gin_files, before.runs[0].gin_files)
            self.assertEqual(sweep.grown(folder, now).runs, now.runs)

    def test_a_sweep_only_grows(self):
        with new_folder() as folder:
            path = write_gin(folder)
            self.assertEqual(sweep.grown(folder, planned(path)), planned(path))
            three = planned(path, "sweep.seeds = [0, 1, 2]")
            three.write(folder)
            self.assertEqual(sweep.grown(folder, planned(path)), three)
            four = planned(path, "sweep.seeds = [0, 1, 2, 3]")
            self.assertEqual(sweep.grown(folder, four), four)
            joined = sweep.grown(folder, planned(path, "sweep.seeds = [3, 0]"))
            self.assertCountEqual(joined.runs, four.runs)
            self.assertEqual(sweep.grown(folder, planned(path), replace=True), planned(path))

    def test_a_sweep_does_not_become_another_by_growing(self):
        with new_folder() as folder:
            path = write_gin(folder)
            planned(path, "sweep.seeds = [0, 1]").write(folder)
            other = planned(path, "sweep.size = 'small'")
            with self.assertRaisesRegex(UserError, "sweep.size.*--replace"):
                sweep.grown(folder, other)
            self.assertEqual(sweep.grown(folder, other, replace=True), other)
            with self.assertRaisesRegex(UserError, "another mlp/plain/seed_0"):  # its run is in the way
                sweep.grown(folder, planned(path, "sweep.overlays = ['train.epochs = 9']"), replace=True)

    def test_gin_files_are_named_the_same_from_every_folder(self):
        root = Path.cwd()
        expected = planned(SWEEPS / "small" / "table4.gin")
        with new_folder() as folder:
            try:
                os.chdir(folder)
                relative = Path(os.path.relpath(SWEEPS / "small" / "table4.gin"))
                self.assertEqual(planned(relative), expected)
            finally:
                os.chdir(root)
        self.assertEqual(expected.gin_files, ("gin/sweeps/small/table4.gin",))

    def test_changed_gin_files_are_seen(self):
        with new_folder() as folder:
            (folder / "overlay.gin").write_text("train.epochs = 2")
            path = write_gin(folder, "sweep.overlays = ['overlay.gin']")
            planned(path).write(folder)
            (folder / "overlay.gin").write_text("train.epochs = 2\nsgd.momentum = 0.5")
            with self.assertRaisesRegex(UserError, "the content of its gin files"):
                sweep.check_same(folder, planned(path))


class ThreadsTest(absltest.TestCase):
    def test_as_bound_then_as_before_then_by_the_cores(self):
        with new_folder() as folder, mock.patch.object(machine, "cores", lambda: 8):
            path = write_gin(folder)
            config.parse([path], ())
            asked = sweep.Sweep()
            self.assertEqual(threads.threads_of(asked, folder), 4)  # two runs on eight cores
            asked.manifest([str(path)], (), 3).write(folder)
            config.parse([path], ())
            self.assertEqual(threads.threads_of(sweep.Sweep(), folder), 3)
            config.parse([path], ["sweep.threads = 2"])
            self.assertEqual(threads.threads_of(sweep.Sweep(), folder), 2)


if __name__ == "__main__":
    absltest.main()
