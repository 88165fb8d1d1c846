import contextlib
import dataclasses
import json
from pathlib import Path

import hypothesis
from absl.testing import absltest, parameterized
from hypothesis import given
from hypothesis import strategies as st

from rethink_keras.errors import UserError
from rethink_keras.experiments.paths import ROOT
from rethink_keras.experiments.sweeps.manifest import NAME, Manifest, find
from tests.experiments.planned_run_test import planned


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

    def test_a_command_means_the_same_typed_in_every_folder(self):
        with contextlib.chdir(self.create_tempdir()):
            here = Path.cwd()
            command = manifest(planned()).command(Path("x"))
        self.assertStartsWith(command, f"{ROOT / 'bin/sweep'} --gin_file={ROOT / 'gin/sweeps/table1.gin'} ")
        self.assertEndsWith(command, f"--workdir={here / 'x'}")

    def test_an_earlier_version_named_the_paper_result_artefact(self):
        folder = Path(self.create_tempdir())
        fields = dataclasses.asdict(manifest(planned()))
        fields["artefact"] = fields.pop("paper_result")
        (folder / NAME).write_text(json.dumps({"format": 1, **fields}))
        self.assertEqual(Manifest.read(folder), manifest(planned()))


class MergedTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())

    def runs(self, *seeds, **changes):
        return [planned(name=f"mlp/plain/seed_{seed}", seed=seed, **changes) for seed in seeds]

    def test_a_sweep_only_grows(self):
        one, three = manifest(*self.runs(0)), manifest(*self.runs(0, 1, 2))
        self.assertIsNone(Manifest.read_if_any(self.folder))
        self.assertEqual(one.merged(self.folder), one)
        three.write(self.folder)
        self.assertEqual(one.merged(self.folder), three)
        four = manifest(*self.runs(0, 1, 2, 3))
        self.assertEqual(four.merged(self.folder), four)
        self.assertCountEqual(manifest(*self.runs(3, 0)).merged(self.folder).runs, four.runs)
        self.assertEqual(one.merged(self.folder, replace=True), one)

    def test_a_sweep_does_not_become_another_by_growing(self):
        manifest(*self.runs(0, 1)).write(self.folder)
        small = dataclasses.replace(manifest(*self.runs(0)), size="small")
        with self.assertRaisesRegex(UserError, "sweep.size.*--replace"):
            small.merged(self.folder)
        self.assertEqual(small.merged(self.folder, replace=True), small)

    def test_another_configuration_in_the_folder_is_refused_with_the_difference(self):
        manifest(*self.runs(0)).write(self.folder)
        other = manifest(*self.runs(0, bindings=("train.epochs = 9",), fingerprint="01"))
        for replace in (False, True):
            with self.assertRaises(UserError) as refused:
                other.merged(self.folder, replace)
            self.assertIn("another mlp/plain/seed_0", refused.exception.sentence)
            self.assertIn("+--gin_param=train.epochs = 9", refused.exception.sentence)

    def test_changed_gin_files_are_seen(self):
        manifest(*self.runs(0)).write(self.folder)
        with self.assertRaisesRegex(UserError, "the content of its gin files"):
            manifest(*self.runs(0, fingerprint="01")).merged(self.folder)

    def test_gin_files_may_change_while_configurations_stay(self):
        manifest(*self.runs(0, 1)).write(self.folder)
        now = manifest(*self.runs(0, gin_files=("other.gin",)))
        self.assertEqual(now.merged(self.folder).runs, (*now.runs, *self.runs(1)))


if __name__ == "__main__":
    absltest.main()
