import contextlib
import os
from pathlib import Path
from unittest import mock

from absl.testing import absltest, parameterized

from rethink_keras.experiments.paths import ROOT
from rethink_keras.experiments.planned_run import PlannedRun, is_folder_name


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


class PlannedRunTest(parameterized.TestCase):
    def test_command_as_one_types_it(self):
        run = planned(bindings=("evaluation.stop_when = 'fit_loss'", "train.epochs = 3"))
        with contextlib.chdir(ROOT):
            self.assertEqual(
                run.command(Path("runs/x")),
                "bin/train --gin_file=gin/quickstart.gin --gin_param=\"evaluation.stop_when = 'fit_loss'\" "
                "--gin_param='train.epochs = 3' --seed=0 --threads=1 --workdir=runs/x/mlp/plain/seed_0",
            )
        with contextlib.chdir(self.create_tempdir()):
            command, here = run.command(Path("x")), Path.cwd()
        self.assertStartsWith(command, f"{ROOT / 'bin/train'} --gin_file={ROOT / 'gin/quickstart.gin'} ")
        self.assertEndsWith(command, f"--workdir={here / 'x/mlp/plain/seed_0'}")

    def test_a_job_names_the_same_in_every_folder(self):
        run = planned()
        with contextlib.chdir(self.create_tempdir()), mock.patch.dict(os.environ, TFDS_DATA_DIR="data"):
            here = Path.cwd()
            job = run.job(Path("s"), "--pause_after=1", retries=2, data_dir="data")
            remote = run.job(Path("s"), retries=0, data_dir="gs://b/data")
        self.assertContainsSubset(
            [
                f"--gin_file={ROOT / 'gin/quickstart.gin'}",
                f"--workdir={here / 's' / run.name}",
                f"--data_dir={here / 'data'}",
                "--pause_after=1",
            ],
            job.arguments,
        )
        self.assertEqual(job.workdir, here / "s" / run.name)
        self.assertEqual(job.environment["TFDS_DATA_DIR"], str(here / "data"))
        self.assertEqual((job.name, job.threads, job.retries, job.fingerprint), (run.name, 1, 2, "00"))
        self.assertIn("--data_dir=gs://b/data", remote.arguments)

    @parameterized.parameters(
        ({"gin_files": ("other.gin",)}, True), ({"threads": 2}, False), ({"fingerprint": "01"}, False)
    )
    def test_gin_files_alone_make_no_other_run(self, changes, same):
        self.assertEqual(planned().computes_the_same(planned(**changes)), same)

    def test_without_a_fingerprint_everything_must_be_equal(self):
        earlier = planned(fingerprint="")
        self.assertTrue(earlier.computes_the_same(planned(fingerprint="")))
        self.assertFalse(earlier.computes_the_same(planned(fingerprint="", gin_files=("other.gin",))))

    @parameterized.parameters("", ".", "..", "a/b", "a\\b", " a", "a\n", "x" * 201)
    def test_what_is_no_folder_name(self, name):
        self.assertFalse(is_folder_name(name))
        with self.assertRaises(ValueError):
            planned(name=f"mlp/{name}" if "/" not in name else name + "/").check()


if __name__ == "__main__":
    absltest.main()
