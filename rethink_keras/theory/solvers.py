"""Solvers of section 5's equations: a factorization, or conjugate gradients for systems that do not fit into memory."""

from __future__ import annotations

import abc
import dataclasses
import hashlib
import itertools
import shutil
import time
from pathlib import Path

import gin
import numpy as np

from rethink_keras.errors import UserError
from rethink_keras.system.archives import DamagedError, read_arrays
from rethink_keras.system.files import open_atomically
from rethink_keras.theory import cholesky, conjugate_gradients, landmarks, memory
from rethink_keras.theory.cholesky import Cholesky
from rethink_keras.theory.experiment import ComputationStopped, Experiment
from rethink_keras.theory.kernel_matrix import PANEL, KernelMatrix
from rethink_keras.theory.parallel import panels
from rethink_keras.validation import check_choice, check_int, check_number, check_seed

PRECISIONS = {"float32": np.float32, "float64": np.float64}


class Solver(abc.ABC):
    """Solves K x = targets."""

    @abc.abstractmethod
    def bytes_needed(self, num_examples: int) -> int:
        """Returns the memory that solving takes besides the inner products."""

    @abc.abstractmethod
    def solve(
        self, matrix: KernelMatrix, targets: np.ndarray, run: Experiment, identity: str
    ) -> conjugate_gradients.Solution:
        """Solves K x = targets.

        Args:
            matrix: The matrix K.
            targets: Right-hand sides, float64 `[examples, columns]`.
            run: The run, for checkpoints, progress and stopping.
            identity: Text that differs for every other matrix, so that no checkpoint of another one is used.

        Returns:
            The solution.

        Raises:
            UserError: There is no solution of the tolerance.
            ComputationStopped: A signal requested a stop. What can be saved is saved.
        """


@gin.configurable("direct")
@dataclasses.dataclass(frozen=True)
class DirectSolver(Solver):
    """A Cholesky factorization, refined by conjugate gradients in float64.

    Attributes:
        precision: Precision of the factor. 'float32' takes half the memory and half the time of 'float64'. Refinement
            with the matrix in float64 gives both the same accuracy.
        tolerance: Largest error of an equation at which refinement ends.
        most_steps: Largest number of steps of refinement, each with a pass over the matrix.
        checkpoint_minutes: Minutes after which finished parts of the factor are saved; 0 for never. They are also
            saved when a signal stops the run.
    """

    precision: str = "float32"
    tolerance: float = 1e-9
    most_steps: int = 100
    checkpoint_minutes: float = 10.0

    def __post_init__(self):
        check_choice("direct.precision", self.precision, tuple(PRECISIONS))
        check_number("direct.tolerance", self.tolerance, 1e-15, 1)
        check_int("direct.most_steps", self.most_steps, 1)
        check_number("direct.checkpoint_minutes", self.checkpoint_minutes, 0, 1e6)

    def bytes_needed(self, num_examples: int) -> int:
        """Returns the memory that solving takes; see `Solver`."""
        itemsize = np.dtype(self.precision).itemsize
        return cholesky.factor_bytes(num_examples, itemsize) + 8 * PANEL * PANEL * itemsize

    def solve(self, matrix, targets, run, identity):
        """Solves K x = targets; see `Solver`."""
        factor = Cholesky(matrix, PRECISIONS[self.precision])
        folder = run.folder.checkpoints / f"factor-{hashlib.sha256(identity.encode()).hexdigest()[:16]}"
        saved = _SavedPanels(folder, factor)
        if self.checkpoint_minutes:
            needed = cholesky.factor_bytes(matrix.num_examples, np.dtype(self.precision).itemsize)
            memory.check_disk(run.folder.path, needed, "set direct.checkpoint_minutes = 0")
        self._factorize(factor, saved, matrix.num_examples, run)

        def precondition(residual):
            scale = abs(residual).max(axis=0) + conjugate_gradients.TINY  # float32 has a narrow range
            return factor.solve(residual / scale) * scale

        try:
            solution = refine(matrix, precondition, targets, self.tolerance, self.most_steps, run)
        except ComputationStopped:
            saved.save()
            raise
        saved.forget()
        return solution

    def _factorize(self, factor: Cholesky, saved: _SavedPanels, num_examples: int, run: Experiment) -> None:
        saved.restore()
        num_panels = len(panels(num_examples, PANEL))
        if num_done := len(factor.panels):
            print(f"Resuming after {num_done} of {num_panels} parts of the factor.", flush=True)
        last_save = time.monotonic()
        name = f"Factor of {num_examples:,} equations in {self.precision}"
        with run.stage(name, cholesky.operations(num_examples), "GFLOP", 1e-9) as advance:
            advance(cholesky.operations(min(num_done * PANEL, num_examples)))
            for number in range(num_done, num_panels):
                try:
                    factor.compute_panel(advance)
                except ComputationStopped:
                    saved.save()
                    raise
                if number in factor.shifts:
                    print(
                        f"Part {number + 1} of the factor: {factor.shifts[number]:g} times the diagonal is added, "
                        f"since {self.precision} is not exact enough. The refinement corrects for it.",
                        flush=True,
                    )
                if self.checkpoint_minutes and time.monotonic() - last_save > 60 * self.checkpoint_minutes:
                    saved.save()
                    last_save = time.monotonic()


@gin.configurable("iterative")
@dataclasses.dataclass(frozen=True)
class IterativeSolver(Solver):
    """Conjugate gradients that recompute the blocks of the matrix in each step, in memory that grows with n, not n².

    The preconditioner is exact on some examples, the landmarks, and diagonal on the rest.

    Attributes:
        landmarks: Number of landmarks. More of them take more memory (4 bytes times n for each) and fewer steps.
        tolerance: Largest error of an equation at which the solution is accepted.
        most_steps: Largest number of steps, each with a pass over the matrix.
        seed: Seed of the choice of landmarks.
    """

    landmarks: int = 2000
    tolerance: float = 1e-6
    most_steps: int = 1000
    seed: int = 0

    def __post_init__(self):
        check_int("iterative.landmarks", self.landmarks, 1, 100_000)
        check_number("iterative.tolerance", self.tolerance, 1e-15, 1)
        check_int("iterative.most_steps", self.most_steps, 1)
        check_seed("iterative.seed", self.seed)

    def bytes_needed(self, num_examples: int) -> int:
        """Returns the memory that solving takes; see `Solver`."""
        count = min(self.landmarks, num_examples)
        return 8 * num_examples * count + 32 * count**2 + 32 * PANEL * PANEL

    def solve(self, matrix, targets, run, identity):
        """Solves K x = targets; see `Solver`."""
        del identity
        with run.stage(f"Preconditioner of {self.landmarks:,} landmarks", 1, ""):
            precondition = landmarks.preconditioner(matrix, self.landmarks, self.seed)
        return refine(matrix, precondition, targets, self.tolerance, self.most_steps, run)


class _SavedPanels:
    """Panels of a factor on disk: NumPy archives, in which a checksum reveals damage."""

    def __init__(self, folder: Path, factor: Cholesky):
        self._folder = folder
        self._factor = factor
        self._num_saved = 0

    def restore(self) -> None:
        """Reads the saved panels, up to the first that is missing or damaged."""
        for path in map(self._path, itertools.count()):
            try:
                self._factor.panels.append(read_arrays(path)["panel"])
            except FileNotFoundError:
                break
            except (DamagedError, KeyError):
                print(f"{path} is damaged: resuming from before it.", flush=True)
                break
        self._num_saved = len(self._factor.panels)

    def save(self) -> None:
        """Writes the panels that are not saved yet."""
        self._folder.mkdir(exist_ok=True)
        for number in range(self._num_saved, len(self._factor.panels)):
            with open_atomically(self._path(number)) as file:
                np.savez(file, panel=self._factor.panels[number])
        self._num_saved = len(self._factor.panels)

    def forget(self) -> None:
        """Removes the saved panels, once the system is solved."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"panel-{number:04d}.npz"


def refine(matrix, precondition, targets, tolerance, most_steps, run) -> conjugate_gradients.Solution:
    """Solves by conjugate gradients with the matrix in float64, and prints each step.

    Raises:
        UserError: The steps do not suffice for the tolerance.
    """
    values = matrix.num_examples**2 / 2
    begin = time.perf_counter()

    def times(vectors):
        with run.stage("Product with the kernel matrix", values, "Mvalue", 1e-6, quiet=True) as advance:
            return matrix.times(vectors, advance)

    def after_step(step, residual):
        print(f"Step {step}: residual {residual:.1e}, {time.perf_counter() - begin:.1f} s", flush=True)

    solution = conjugate_gradients.solve(
        times, precondition, targets, tolerance=tolerance, most_steps=most_steps, after_step=after_step
    )
    if not solution.converged:
        raise UserError(
            f"After {most_steps} steps the error of some equation is {solution.residuals[-1]:.1e}. Set a larger "
            "most_steps, direct.precision = 'float64', more iterative.landmarks, or a larger tolerance."
        )
    return solution
