import shlex
from pathlib import Path

from absl.testing import absltest, parameterized
from hypothesis import given
from hypothesis import strategies as st

from rethink_keras.errors import UserError
from rethink_keras.experiments.manifest import NAME, Manifest, PlannedRun, find
from tests.training.small_runs import new_folder


def planned(**changes):
    fields = {
        "name": "mlp/plain/seed_0",
        "network": "mlp",
        "variant": "plain",
        "seed": 0,
        "gin_files": ("gin/quickstart.gin",),
        "bindings": ("train.epochs = 3",),
        "epochs": 3,
        "images": 4314,
        "threads": 1,
        "fingerprint": "00",
    }
    return PlannedRun(**(fields | changes))


def manifest(*runs):
    return Manifest("own", "full", "A title", ("gin/sweeps/table1.gin",), ("sweep.seeds = [0]",), runs)


class ManifestTest(parameterized.TestCase):
    def test_comes_back_from_disk(self):
        there = manifest(planned(), planned(name="mlp/plain/seed_1", seed=1))
        with new_folder() as folder:
            there.write(folder)
            self.assertEqual(Manifest.read(folder), there)
        self.assertEqual(there.images, 2 * 4314)

    @parameterized.parameters(
        "", "[]", '{"format": 1}', '{"format": 2}', '{"format": 1, "runs": [{"name": 1}]}'
    )
    def test_a_damaged_one_is_told(self, text):
        with new_folder() as folder:
            (folder / NAME).write_text(text)
            with self.assertRaisesRegex(UserError, "damaged or of another version.*run bin/sweep again"):
                Manifest.read(folder)

    def test_finds_sweeps_below_a_folder(self):
        with new_folder() as folder:
            for name in ("b", "a/c"):
                (folder / name).mkdir(parents=True)
                manifest(planned()).write(folder / name)
            self.assertEqual(list(find(folder)), [folder / "a/c", folder / "b"])

    def test_command_as_one_would_type_it(self):
        run = planned(bindings=("evaluation.stop_when = 'fit_loss'", "train.epochs = 3"))
        self.assertEqual(
            run.command(Path("runs/x")),
            "bin/train --gin_file=gin/quickstart.gin --gin_param=\"evaluation.stop_when = 'fit_loss'\" "
            "--gin_param='train.epochs = 3' --seed=0 --threads=1 --workdir=runs/x/mlp/plain/seed_0",
        )

    @given(st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r"), min_size=1))
    def test_a_shell_understands_the_command_as_it_is(self, binding):
        run = planned(bindings=(binding,))
        self.assertEqual(shlex.split(run.command(Path("x")))[1:], run.arguments(Path("x")))


if __name__ == "__main__":
    absltest.main()
