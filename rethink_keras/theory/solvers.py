"""Two ways to solve the equations of section 5: a factorization, or conjugate gradients for what does not fit."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
import threading
import time
from pathlib import Path
from typing import Any, Protocol

import gin
import numpy as np

from rethink_keras.errors import UserError
from rethink_keras.system.archives import DamagedError, read_arrays
from rethink_keras.system.files import open_atomically
from rethink_keras.theory import cholesky, conjugate_gradients, landmarks, memory
from rethink_keras.theory.cholesky import Cholesky
from rethink_keras.theory.experiment import Experiment, Stopping
from rethink_keras.theory.kernel_matrix import PANEL, KernelMatrix
from rethink_keras.validation import check_choice, check_int, check_number, check_seed

PRECISIONS = {"float32": np.float32, "float64": np.float64}


class Solver(Protocol):
    """Solves K x = targets."""

    def bytes_needed(self, num_examples: int) -> int:
        """Memory that solving takes besides the points."""
        ...

    def solve(
        self, matrix: KernelMatrix, targets: np.ndarray, run: Experiment, identity: str
    ) -> conjugate_gradients.Solution:
        """Solves for float64 targets `[examples, columns]`; `identity` tells this system from others."""
        ...


class SolverBuilder(Protocol):
    """Builds a solver from what gin binds: `@direct` or `@iterative`."""

    def __call__(self) -> Solver:
        """The solver."""
        ...


@gin.configurable
@dataclasses.dataclass(frozen=True)
class direct:
    """A Cholesky factorization, refined by conjugate gradients in float64.

    Attributes:
        precision: of the factor. 'float32' takes half the memory and half the time of 'float64'; what it lacks
            the refinement makes up for, with the matrix recomputed in float64.
        tolerance: refinement ends when no equation is off by more.
        most_steps: of refinement; each costs a pass over the matrix.
        checkpoint_minutes: finished parts of the factor are put on disk after so many minutes; 0 for never. A
            signal puts them there, too.
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
        """See `Solver`."""
        itemsize = np.dtype(self.precision).itemsize
        return cholesky.factor_bytes(num_examples, itemsize) + 8 * PANEL * PANEL * itemsize

    def solve(self, matrix, targets, run, identity):
        """See `Solver`."""
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
            solution = _refine(matrix, precondition, targets, self.tolerance, self.most_steps, run)
        except Stopping:
            saved.save()
            raise
        saved.forget()
        return solution

    def _factorize(self, factor: Cholesky, saved: _SavedPanels, num_examples: int, run: Experiment) -> None:
        saved.restore()
        if factor.num_done:
            print(f"Going on after {factor.num_done} of {factor.num_panels} parts of the factor.", flush=True)
        done = cholesky.operations(min(factor.num_done * PANEL, num_examples))
        lock, last_save = threading.Lock(), time.monotonic()
        name = f"Factor of {num_examples:,} equations in {self.precision}"
        with run.stage(name, cholesky.operations(num_examples), "GFLOP", 1e-9) as bar:
            bar.update(done * 1e-9)

            def advance(operations):
                run.check_stop()
                with lock:
                    bar.update(operations * 1e-9)

            while factor.num_done < factor.num_panels:
                try:
                    factor.compute_panel(advance)
                except Stopping:
                    saved.save()
                    raise
                if (last := factor.num_done - 1) in factor.shifts:
                    print(
                        f"Part {last + 1} of the factor got {factor.shifts[last]:g} times its diagonal more, for "
                        f"{self.precision}; the refinement takes that out again.",
                        flush=True,
                    )
                if self.checkpoint_minutes and time.monotonic() - last_save > 60 * self.checkpoint_minutes:
                    saved.save()
                    last_save = time.monotonic()


@gin.configurable
@dataclasses.dataclass(frozen=True)
class iterative:
    """Conjugate gradients on blocks that are computed anew, in memory that grows with n alone.

    The preconditioner is exact on some of the examples, the landmarks, and diagonal on what they leave.

    Attributes:
        landmarks: more of them take more memory (4 bytes times n for each) and fewer steps.
        tolerance: ends when no equation is off by more.
        most_steps: each costs a pass over the matrix.
        seed: of the choice of landmarks.
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
        """See `Solver`."""
        count = min(self.landmarks, num_examples)
        return 8 * num_examples * count + 32 * count**2 + 32 * PANEL * PANEL

    def solve(self, matrix, targets, run, identity):
        """See `Solver`."""
        del identity
        with run.stage(f"Preconditioner of {self.landmarks:,} landmarks", 1, "") as _:
            precondition = landmarks.preconditioner(matrix, self.landmarks, self.seed)
        return _refine(matrix, precondition, targets, self.tolerance, self.most_steps, run)


class _SavedPanels:
    """Panels of a factor on disk: numpy archives, whose CRC tells a damaged one."""

    def __init__(self, folder: Path, factor: Cholesky):
        self._folder = folder
        self._factor = factor
        self._num_saved = 0

    def restore(self) -> None:
        """Reads the panels that are there and whole, up to the first that is not."""
        for path in (self._path(number) for number in range(self._factor.num_panels)):
            try:
                self._factor.put_panel(read_arrays(path)["panel"])
            except FileNotFoundError:
                break
            except (DamagedError, KeyError):
                print(f"{path} is damaged: resuming from before it.", flush=True)
                break
        self._num_saved = self._factor.num_done

    def save(self) -> None:
        """Writes the panels that are not on disk yet."""
        self._folder.mkdir(exist_ok=True)
        for number in range(self._num_saved, self._factor.num_done):
            with open_atomically(self._path(number)) as file:
                np.savez(file, panel=self._factor.panel(number))
        self._num_saved = self._factor.num_done

    def forget(self) -> None:
        """Removes them: the system is solved."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"panel-{number:04d}.npz"


def _refine(matrix, precondition, targets, tolerance, most_steps, run) -> conjugate_gradients.Solution:
    values = matrix.num_examples**2 / 2
    begin = time.perf_counter()
    lock = threading.Lock()

    def times(vectors):
        name = "Product with the kernel matrix"
        with run.stage(name, values, "Mvalue", 1e-6, quiet=True) as bar:

            def advance(done):
                run.check_stop()
                with lock:
                    bar.update(done * 1e-6)

            return matrix.times(vectors, advance)

    def after_step(step, residual):
        print(f"Step {step}: residual {residual:.1e}, {time.perf_counter() - begin:.1f} s", flush=True)

    solution = conjugate_gradients.solve(
        times, precondition, targets, tolerance=tolerance, most_steps=most_steps, after_step=after_step
    )
    if not solution.converged:
        raise UserError(
            f"After {most_steps} steps some equation is still off by {solution.residuals[-1]:.1e}. Allow more "
            "(most_steps), set precision = 'float64' or more landmarks, or a larger tolerance."
        )
    return solution


def details(solution: conjugate_gradients.Solution) -> dict[str, Any]:
    """What the summary says of how a system was solved."""
    return {
        "steps": len(solution.residuals) - 1,
        "residuals": [float(f"{r:.3e}") for r in solution.residuals],
    }
