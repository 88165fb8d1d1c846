import contextlib
import dataclasses
import json
import os
import shlex
from pathlib import Path

import hypothesis
from absl.testing import absltest, parameterized
from hypothesis import given
from hypothesis import strategies as st

from rethink_keras.errors import UserError
from rethink_keras.experiments.sweeps.manifest import NAME, ROOT, Manifest, PlannedRun, find


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


def write_json(folder, runs):
    """A sweep.json with such runs."""
    fields = dataclasses.asdict(manifest())
    (folder / NAME).write_text(json.dumps({"format": 1, **fields, "runs": runs}))


class ManifestTest(parameterized.TestCase):
    def test_comes_back_from_disk(self):
        there = manifest(planned(), planned(name="mlp/plain/seed_1", seed=1))
        folder = Path(self.create_tempdir())
        there.write(folder)
        self.assertEqual(Manifest.read(folder), there)
        self.assertEqual(there.images, 2 * 4314)

    @parameterized.parameters(
        "",
        "[]",
        '{"format": 1}',
        '{"format": 2}',
        '{"format": 1, "runs": [{"name": 1}]}',
        "[" * 100_000,
        '{"format": ' + "9" * 5000 + "}",
    )
    def test_a_damaged_one_is_told(self, text):
        folder = Path(self.create_tempdir())
        (folder / NAME).write_text(text)
        self.check_damaged(folder)

    @parameterized.parameters(
        {"name": "../../elsewhere"},
        {"name": "/mlp"},
        {"name": "mlp//seed_0"},
        {"name": ""},
        {"name": "a\nb"},
        {"name": "\ud800"},
        {"name": "x" * 300},
        {"network": "\x1b[31m"},
        {"variant": "\ud800"},
        {"epochs": 0},
        {"images": -1},
        {"seed": 2**32},
        {"threads": -1},
        {"threads": 10**9},
        {"epochs": 10**400},
        {"images": 10**400},
    )
    def test_runs_that_no_sweep_plans_are_damage(self, **fields):
        folder = Path(self.create_tempdir())
        write_json(folder, [dataclasses.asdict(planned(**fields))])
        self.check_damaged(folder)

    def test_a_sweep_without_runs_is_damaged(self):
        folder = Path(self.create_tempdir())
        write_json(folder, [])
        self.check_damaged(folder)

    def check_damaged(self, folder):
        with self.assertRaisesRegex(
            UserError, "(?s)damaged or of another version.*run bin/sweep again"
        ) as told:
            Manifest.read(folder)
        told.exception.sentence.encode()

    @hypothesis.settings(max_examples=200, deadline=None, derandomize=True, database=None)
    @given(st.data())
    def test_whatever_it_holds_it_is_read_or_damaged(self, data):
        text = json.dumps({"format": 1, **dataclasses.asdict(manifest(planned()))})
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(start + 20, len(text))))
        pieces = st.one_of(
            st.text(max_size=5), st.sampled_from(["null", "[]", "{}", "-1", "1e999", '"\\ud800"'])
        )
        folder = Path(self.create_tempdir())
        (folder / NAME).write_text(text[:start] + data.draw(pieces) + text[end:], errors="surrogatepass")
        with contextlib.suppress(UserError):
            Manifest.read(folder)

    def test_finds_sweeps_below_a_folder(self):
        folder = Path(self.create_tempdir())
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

    def test_commands_mean_the_same_typed_in_another_folder(self):
        root = Path.cwd()
        sweep = manifest(planned())
        folder = Path(self.create_tempdir())
        try:
            os.chdir(folder)
            here = Path.cwd()
            commands = planned().command(Path("x")), sweep.command(Path("x"))
        finally:
            os.chdir(root)
        self.assertStartsWith(commands[0], f"{ROOT / 'bin/train'} --gin_file={ROOT / 'gin/quickstart.gin'} ")
        self.assertEndsWith(commands[0], f"--workdir={here / 'x/mlp/plain/seed_0'}")
        self.assertStartsWith(
            commands[1], f"{ROOT / 'bin/sweep'} --gin_file={ROOT / 'gin/sweeps/table1.gin'} "
        )
        self.assertEndsWith(commands[1], f"--workdir={here / 'x'}")

    @given(st.text(st.characters(codec="utf-8", exclude_characters="\0\n\r"), min_size=1))
    def test_a_shell_understands_the_command_as_it_is(self, binding):
        run = planned(bindings=(binding,), gin_files=())
        self.assertEqual(shlex.split(run.command(Path("/x")))[1:], run.arguments(Path("/x")))


if __name__ == "__main__":
    absltest.main()
