import os
import signal
import time
from pathlib import Path
from unittest import mock

import numpy as np
import scipy.linalg
from absl.testing import absltest, parameterized

from rethink_keras.errors import DiskError, StoppedBySignalError, UserError
from rethink_keras.theory import cholesky, memory, solvers
from rethink_keras.theory.solvers import DirectSolver, IterativeSolver
from tests.theory.made_points import dense, matrix, points, quiet_experiment, small_panels

X = points(400, 6)
Y = np.eye(10)[np.arange(400) % 10]


def solved(solver, folder, x=X, y=Y, **options):
    with small_panels(), matrix(x, **{"gamma": 0.5, **options}) as k, quiet_experiment(folder) as run:
        return solver.solve(k, y, run, "the system")


class SolversTest(parameterized.TestCase):
    @parameterized.named_parameters(
        ("float32", DirectSolver(tolerance=1e-12)),
        ("float64", DirectSolver(precision="float64", tolerance=1e-12)),
        ("iterative", IterativeSolver(landmarks=150, tolerance=1e-12)),
        ("all_landmarks", IterativeSolver(landmarks=1000, tolerance=1e-12)),
    )
    def test_equals_scipy(self, solver):
        folder = Path(self.create_tempdir())
        solution = solved(solver, folder)
        expected = scipy.linalg.solve(dense(X, X, 0.5), Y, assume_a="pos")
        error = np.linalg.norm(solution.x - expected) / np.linalg.norm(expected)
        self.assertLess(error, 1e-8)
        self.assertTrue(solution.converged)

    def test_landmarks_save_steps(self):
        folder = Path(self.create_tempdir())
        few, many = (len(solved(IterativeSolver(landmarks=m), folder).residuals) for m in (5, 200))
        self.assertLess(2 * many, few)

    def test_ridge(self):
        folder = Path(self.create_tempdir())
        solution = solved(DirectSolver(tolerance=1e-12), folder, ridge=0.5)
        expected = scipy.linalg.solve(dense(X, X, 0.5) + 0.5 * np.eye(400), Y)
        np.testing.assert_allclose(solution.x, expected, atol=1e-10)

    def test_steps_that_do_not_suffice(self):
        folder = Path(self.create_tempdir())
        with (
            self.assertRaisesRegex(UserError, "After 2 steps .* error of some equation"),
        ):
            solved(IterativeSolver(landmarks=5, most_steps=2), folder)

    def test_no_room_for_checkpoints(self):
        no_room = mock.Mock(free=1000)
        folder = Path(self.create_tempdir())
        with mock.patch.object(memory.shutil, "disk_usage", lambda _: no_room):
            with self.assertRaisesRegex(DiskError, "set direct.checkpoint_minutes = 0"):
                solved(DirectSolver(), folder)
            solved(DirectSolver(checkpoint_minutes=0), folder)

    @parameterized.parameters(
        (DirectSolver, "direct.precision", "float16"),
        (DirectSolver, "direct.tolerance", 0),
        (DirectSolver, "direct.most_steps", 0),
        (DirectSolver, "direct.checkpoint_minutes", -1),
        (IterativeSolver, "iterative.landmarks", 0),
        (IterativeSolver, "iterative.tolerance", float("nan")),
        (IterativeSolver, "iterative.most_steps", 0.5),
    )
    def test_bad_settings(self, solver, name, value):
        with self.assertRaisesRegex(UserError, f"{name} is "):
            solver(**{name.split(".")[1]: value})


class ResumeTest(absltest.TestCase):
    def stop_after(self, panels, folder):
        """A signal when so many panels are done."""
        real = cholesky.Cholesky.compute_panel

        def compute(factor, advance):
            if len(factor.panels) == panels:
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(0.1)
            real(factor, advance)

        with (
            mock.patch.object(cholesky.Cholesky, "compute_panel", compute),
            self.assertRaises(StoppedBySignalError) as caught,
        ):
            solved(DirectSolver(), folder)
        self.assertEqual(caught.exception.exit_code, 143)

    def computed(self, folder):
        """The solution, and how many panels were computed for it."""
        with mock.patch.object(
            cholesky.Cholesky, "compute_panel", autospec=True, side_effect=cholesky.Cholesky.compute_panel
        ) as spy:
            return solved(DirectSolver(), folder).x, spy.call_count

    def test_resumes_to_the_same_bits(self):
        folder = Path(self.create_tempdir())
        expected, all_panels = self.computed(folder / "a")
        self.stop_after(4, folder / "b")
        self.assertLen(list((folder / "b" / "checkpoints").glob("*/panel-*.npz")), 4)
        x, panels = self.computed(folder / "b")
        np.testing.assert_array_equal(x, expected)
        self.assertEqual((all_panels, panels), (7, 3))
        self.assertEmpty(list((folder / "b" / "checkpoints").iterdir()))

    def test_a_damaged_part_is_computed_again(self):
        folder = Path(self.create_tempdir())
        expected, _ = self.computed(folder / "a")
        self.stop_after(4, folder / "b")
        path = next((folder / "b" / "checkpoints").glob("*/panel-0002.npz"))
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 255
        path.write_bytes(bytes(content))
        x, panels = self.computed(folder / "b")
        np.testing.assert_array_equal(x, expected)
        self.assertEqual(panels, 5)

    def test_a_part_that_cannot_be_read_is_not_computed_again(self):
        folder = Path(self.create_tempdir())
        self.stop_after(4, folder)
        path = next((folder / "checkpoints").glob("*/panel-0002.npz"))
        whole = path.rename(folder / "whole")
        path.mkdir()
        with self.assertRaisesRegex(DiskError, "panel-0002.npz cannot be read"):
            self.computed(folder)
        path.rmdir()
        whole.rename(path)
        self.assertEqual(self.computed(folder)[1], 3)

    def test_parts_are_saved_by_and_by(self):
        folder = Path(self.create_tempdir())
        with mock.patch.object(solvers._SavedPanels, "save", autospec=True) as save:
            solved(DirectSolver(checkpoint_minutes=1e-9), folder)
        self.assertEqual(save.call_count, 7)


if __name__ == "__main__":
    absltest.main()
