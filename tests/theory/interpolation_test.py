import json
from pathlib import Path
from unittest import mock

import numpy as np
import scipy.linalg
from absl.testing import absltest, parameterized

from rethink_keras.commands import kernel
from rethink_keras.data.sources import Dataset
from rethink_keras.data.sources.tfds_source import InMemorySource
from rethink_keras.theory import solvers
from rethink_keras.training import provenance
from tests.commands.in_process import main
from tests.data.helpers import digits_elsewhere
from tests.theory.made_points import dense
from tests.training.small_runs import before_call, send_sigterm

SMALL = (
    "dataset.name = 'digits'",
    "dataset.train_examples = 300",
    "dataset.test_examples = 100",
    "preprocessing.normalization = 'none'",
    "gaussian.gamma = 0.3",
)


def flags(*bindings):
    return [f"--gin_param={binding}" for binding in (*SMALL, *bindings)]


def summary_of(folder):
    return json.loads((folder / "summary.json").read_text())


class KernelCommandTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        digits_elsewhere(cls)

    def test_interpolates_and_says_so(self):
        folder = Path(self.create_tempdir())
        code, out, err = main(kernel, *flags(), f"--workdir={folder}", "--seed=3")
        self.assertEqual((code, err), (0, ""))
        self.assertRegex(
            out, r"64 features: Err-tr: 0\.00, Err-te: \d+\.\d\d, residual: \d\.\de-\d\d, RKHS norm"
        )
        summary = summary_of(folder)
        alpha = np.load(folder / "alpha.npy")
        final = summary["final"]
        self.assertEqual((summary["status"], summary["seed"]), ("done", 3))
        self.assertEqual(final["train_error"], 0)
        self.assertLess(final["test_error"], 10)
        self.assertLess(final["largest_residual"], 2e-9)
        images = Dataset("digits", train_examples=300).open("train")
        points = (images.images.reshape(300, -1) / np.float32(255)).astype(np.float32)
        k, targets = dense(points, points, 0.3), np.eye(10)[images.labels]
        np.testing.assert_allclose(alpha, scipy.linalg.solve(k, targets, assume_a="pos"), atol=1e-5)
        self.assertAlmostEqual(final["rkhs_norm"], np.sqrt((alpha * (k @ alpha)).sum()), places=6)
        self.assertAlmostEqual(final["coefficient_norm"], np.sqrt((alpha**2).sum()), places=6)
        self.assertGreater(summary["peak_memory_gib"], 0)
        self.assertIn("rkhs_norm", summary["norms"])

    def test_random_labels_are_interpolated_too_at_a_larger_norm(self):
        folder = Path(self.create_tempdir())
        for name, labels in (("a", "true"), ("b", "random")):
            main(kernel, *flags(f"randomization.labels = '{labels}'"), f"--workdir={folder / name}")
        true, random = (summary_of(folder / name)["final"] for name in "ab")
        self.assertEqual(random["train_error"], 0)
        self.assertGreater(random["test_error"], 70)
        self.assertGreater(random["rkhs_norm"], 2 * true["rkhs_norm"])

    def test_solvers_agree(self):
        folder = Path(self.create_tempdir())
        for name, solver in (("a", "direct"), ("b", "iterative")):
            bindings = (f"interpolation.solver = @{solver}", f"{solver}.tolerance = 1e-10")
            main(kernel, *flags(*bindings), f"--workdir={folder / name}")
        first, second = (np.load(folder / name / "alpha.npy") for name in "ab")
        np.testing.assert_allclose(first, second, atol=1e-6 * abs(first).max())

    def test_a_curve_over_filters(self):
        bindings = (
            "interpolation.features = @random_convolutions",
            "random_convolutions.filters = (50, 100)",
            "random_convolutions.patch = 3",
        )
        folder = Path(self.create_tempdir())
        code, _, err = main(kernel, *flags(*bindings), f"--workdir={folder}")
        self.assertEqual((code, err), (0, ""))
        rows = summary_of(folder)["rows"]
        self.assertEqual([(r["filters"], r["features"]) for r in rows], [(50, 400), (100, 800)])
        self.assertStartsWith((folder / "curve.png").read_bytes(), b"\x89PNG")
        self.assertLen((folder / "metrics.csv").read_text().splitlines(), 3)

    def test_wavelets(self):
        bindings = (
            "interpolation.features = @gabor_wavelets",
            "gaussian.gamma = 3.0",
            "gabor_wavelets.stride = 2",
        )
        folder = Path(self.create_tempdir())
        main(kernel, *flags(*bindings), f"--workdir={folder}")
        self.assertLess(summary_of(folder)["final"]["test_error"], 15)

    def test_done_is_done_and_another_configuration_is_refused(self):
        folder = Path(self.create_tempdir())
        main(kernel, *flags(), f"--workdir={folder}")
        before = (folder / "summary.json").read_text()
        code, out, _ = main(kernel, *flags(), f"--workdir={folder}")
        self.assertEqual(code, 0)
        self.assertIn("This run is done", out)
        self.assertEqual((folder / "summary.json").read_text(), before)
        code, _, err = main(kernel, *flags("interpolation.ridge = 0.1"), f"--workdir={folder}")
        self.assertEqual(code, 2)
        self.assertIn("+interpolation.ridge = 0.1", err)
        code, out, _ = main(kernel, *flags("interpolation.ridge = 0.1"), f"--workdir={folder}", "--overwrite")
        self.assertEqual(code, 0)
        self.assertEqual(summary_of(folder)["final"]["ridge"], 0.1)

    @parameterized.parameters(
        "interpolation.memory_gib = 0.01", "interpolation.kernel = @linear", "dataset.train_examples = 5000"
    )
    def test_overwrite_moves_nothing_until_a_new_run_can_begin(self, binding):
        folder = Path(self.create_tempdir())
        run = folder / "run"
        run.mkdir()
        for name in ("config.gin", "metrics.csv"):
            (run / name).write_text("an earlier run")
        code, _, _ = main(kernel, *flags(binding), f"--workdir={run}", "--overwrite")
        self.assertEqual(code, 2)
        self.assertEqual((run / "config.gin").read_text(), "an earlier run")
        self.assertFalse((run / "summary.json").exists())
        self.assertEqual(main(kernel, *flags(), f"--workdir={run}", "--overwrite")[0], 0)
        self.assertEqual((folder / "run.old-1" / "config.gin").read_text(), "an earlier run")

    def test_lost_metrics_of_a_done_run_are_rebuilt(self):
        folder = Path(self.create_tempdir())
        main(kernel, *flags(), f"--workdir={folder}")
        summary, metrics = summary_of(folder), (folder / "metrics.csv").read_text()
        (folder / "metrics.csv").unlink()
        code, out, _ = main(kernel, *flags(), f"--workdir={folder}")
        self.assertEqual(code, 0)
        self.assertIn("metrics.csv", out)
        self.assertEqual((folder / "metrics.csv").read_text(), metrics)
        self.assertEqual(summary_of(folder), summary)
        (folder / "metrics.csv").unlink()
        del summary["rows"]
        (folder / "summary.json").write_text(json.dumps(summary))
        code, _, err = main(kernel, *flags(), f"--workdir={folder}")
        self.assertEqual(code, 2)
        self.assertRegex(err, "metrics.csv.*--overwrite")

    def test_every_version_that_computed_a_part_is_recorded(self):
        another = mock.patch.object(provenance, "code_version", lambda: "0.1.0+another")
        folder = Path(self.create_tempdir())
        with another, before_call(solvers, "refine", send_sigterm):
            main(kernel, *flags(), f"--workdir={folder}")
        main(kernel, *flags(), f"--workdir={folder}")
        computed_by = summary_of(folder)["computed_by"]
        versions = [part["rethink_keras"] for part in computed_by]
        self.assertEqual(versions, ["0.1.0+another", provenance.code_version()])

    def test_interrupted_it_says_so_and_resumes(self):
        folder = Path(self.create_tempdir())
        with before_call(solvers, "refine", send_sigterm):
            code, _, err = main(kernel, *flags(), f"--workdir={folder}")
        self.assertEqual(code, 143)
        self.assertIn("The same command resumes", err)
        self.assertEqual(summary_of(folder)["status"], "interrupted")
        code, out, _ = main(kernel, *flags(), f"--workdir={folder}")
        self.assertEqual(code, 0)
        self.assertIn("Resuming after 1 of 1 parts of the factor", out)
        self.assertEqual(summary_of(folder)["status"], "done")

    @parameterized.named_parameters(
        ("no_examples", "dataset.train_examples = 0", "dataset.train_examples is 0"),
        ("gamma_0", "gaussian.gamma = 0", "gaussian.gamma is 0. Give a number"),
        ("gamma_nan", "gaussian.gamma = %NAN", "NAN is referred to"),
        ("gamma_negative", "gaussian.gamma = -1.0", "gaussian.gamma is -1.0"),
        ("gamma_word", "gaussian.gamma = 'narrow'", "It takes a number"),
        ("ridge", "interpolation.ridge = -1.0", "interpolation.ridge is -1.0"),
        ("no_solver", "interpolation.solver = @lapack", "there is no 'lapack'"),
        (
            "another_kind",
            "interpolation.solver = @gaussian",
            "interpolation.solver is @gaussian, which does not fit. It takes the name of a Solver",
        ),
        (
            "memory",
            "interpolation.memory_gib = 0.01",
            "are left of interpolation.memory_gib = 0.01: enough for 0",
        ),
        (
            "few_features",
            "interpolation.kernel = @linear",
            "A linear kernel of 64 features cannot interpolate 300",
        ),
        (
            "too_wide",
            ("gaussian.gamma = 1e-9", "direct.precision = 'float64'"),
            "not positive definite in float64",
        ),
        ("misspelt", "gaussian.gama = 1", "Did you mean 'gamma'?"),
    )
    def test_bad_input_exits_2_with_a_sentence(self, binding, message):
        folder = Path(self.create_tempdir())
        code, _, err = main(
            kernel, *flags(*([binding] if isinstance(binding, str) else binding)), f"--workdir={folder}"
        )
        self.assertIn(message, err)
        self.assertEqual(code, 2)
        self.assertLen(err.splitlines(), 1)

    def test_the_same_image_twice(self):
        real = InMemorySource.open

        def with_a_copy(*arguments):
            images = real(*arguments)
            images.images[7] = images.images[2]
            return images

        folder = Path(self.create_tempdir())
        with mock.patch.object(InMemorySource, "open", with_a_copy):
            code, _, err = main(kernel, *flags(), f"--workdir={folder}")
        self.assertEqual(code, 2)
        self.assertIn("Training examples 2 and 7 are the same image", err)

    def test_no_data(self):
        folder = Path(self.create_tempdir())
        with mock.patch.dict("os.environ", {"https_proxy": "http://127.0.0.1:9"}):
            code, _, _ = main(
                kernel, *flags("dataset.name = 'mnist'"), f"--workdir={folder}", f"--data_dir={folder}"
            )
        self.assertEqual(code, 3)


if __name__ == "__main__":
    absltest.main()
