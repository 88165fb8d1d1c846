"""The experiment of section 5: interpolation by kernels, the minimum-norm solution of n equations in n unknowns."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import gin
import numpy as np

from rethink_keras import config as configuration
from rethink_keras.data.splits import Splits
from rethink_keras.errors import UserError
from rethink_keras.system.files import open_atomically
from rethink_keras.theory import memory, plots
from rethink_keras.theory.experiment import ExperimentResult, experiment, facts_of
from rethink_keras.theory.features.features import Features, PixelFeatures, Stage
from rethink_keras.theory.kernel_matrix import KernelMatrix, classification_error, one_hot
from rethink_keras.theory.kernels import GaussianKernel, Kernel, LinearKernel
from rethink_keras.theory.parallel import workers
from rethink_keras.theory.solvers import DirectSolver, Solver
from rethink_keras.validation import check_number, check_seed


@gin.configurable(denylist=["workdir", "data_dir", "overwrite"])
def interpolation(
    *,
    workdir: str | Path,
    data_dir: str | Path | None = None,
    overwrite: bool = False,
    features: type[Features] = PixelFeatures,
    kernel: type[Kernel] = GaussianKernel,
    ridge: float = 0.0,
    solver: type[Solver] = DirectSolver,
    memory_gib: float | None = None,
    seed: int = 0,
) -> ExperimentResult:
    """Solves (K + ridge) α = y for one-hot targets y and measures the errors of the classes that K α predicts.

    Args:
        workdir: Folder of the run.
        data_dir: TFDS data folder; None for the default of TFDS.
        overwrite: Whether an earlier run in the workdir is moved aside.
        features: `@pixels`, `@gabor_wavelets` or `@random_convolutions`.
        kernel: Kernel on the features, `@gaussian` or `@linear`.
        ridge: Number added to the diagonal of K, an ℓ2 penalty; 0 interpolates, as the paper does.
        solver: `@direct` or `@iterative`.
        memory_gib: Memory that may be used in all, in GiB; None for what is free.
        seed: Seed of the randomization.

    Returns:
        The summary: for each number of features the errors in percent, the largest residual and the norms.

    Raises:
        UserError: The configuration cannot be used, examples are equal, or there is too little memory.
        DataNotAvailableError: The data set is neither on disk nor available for download.
        StoppedBySignalError: SIGINT, SIGTERM or SIGHUP stopped the run. Finished parts of a factor are saved.
    """
    check_number("interpolation.ridge", ridge, 0, 1e30)
    check_seed("interpolation.seed", seed)
    features_of_images = features()
    kernel_function = kernel()
    equation_solver = solver()
    with experiment(workdir, overwrite) as run, workers() as pool:
        splits = Splits.from_gin(data_dir, seed)
        train, test = splits.randomized("train"), splits.randomized("test")
        facts = facts_of(splits, train, test, seed)
        if done := run.claim(facts):
            return ExperimentResult(done, run.folder.path)

        def bytes_needed(num_train: int) -> int:
            products = features_of_images.bytes_needed(num_train, test.num_examples, train.input_shape)
            return products + equation_solver.bytes_needed(num_train)

        alternative = "interpolation.solver = @iterative" if isinstance(equation_solver, DirectSolver) else ""
        memory.check_memory(memory_gib, train.num_examples, bytes_needed, alternative)
        targets = one_hot(train.labels, train.source.num_classes)
        rows = []
        for stage in features_of_images.stages(train, test, run):
            _check_enough_features(kernel_function, ridge, stage, train.num_examples)
            run.begin()
            matrix = KernelMatrix(stage.products, kernel_function, ridge, pool)
            identity = configuration.operative() + json.dumps(facts["fingerprints"]) + str(stage.num_features)
            begin = time.perf_counter()
            solution = equation_solver.solve(matrix, targets, run, identity)
            solved = time.perf_counter()
            alpha = solution.x
            values = matrix.times(alpha, lambda _: run.check_stop())
            fitted, predicted = values - ridge * alpha, matrix.test_times(alpha)
            with open_atomically(run.folder.path / "alpha.npy") as file:
                np.save(file, alpha)
            row = {
                "features": stage.num_features,
                **({} if stage.num_filters is None else {"filters": stage.num_filters}),
                "train_error": classification_error(fitted, train.labels),
                "test_error": classification_error(predicted, test.labels),
                "largest_residual": float(abs(values - targets).max()),
                "rkhs_norm": float(np.sqrt((alpha * fitted).sum())),
                "coefficient_norm": float(np.linalg.norm(alpha)),
                "ridge": ridge,
                "steps": len(solution.residuals) - 1,
                "residuals": [float(f"{residual:.3e}") for residual in solution.residuals],
                "solve_seconds": round(solved - begin, 1),
                "measure_seconds": round(time.perf_counter() - solved, 1),
            }
            rows.append(row)
            run.write_rows(rows)
            print(_line(row), flush=True)
        if len(rows) > 1:
            randomization = splits.randomization.describe()
            title = f"{train.num_examples:,} examples of {train.source.name}, {randomization}"
            plots.plot_filter_curve(rows, run.folder.path / "curve.png", title)
        metrics = {"final": rows[-1], "rows": rows, "norms": NORMS}
        return ExperimentResult(run.write("done", metrics), run.folder.path)


NORMS = {
    "rkhs_norm": "sqrt(sum over classes of αᵀKα), the norm of the interpolating functions in the kernel's space",
    "coefficient_norm": "sqrt(sum of squares of α over examples and classes)",
}


def _line(row: dict[str, Any]) -> str:
    filters = f"{row['filters']:,} filters, " if "filters" in row else ""
    return (
        f"{filters}{row['features']:,} features: Err-tr: {row['train_error']:.2f}, Err-te: {row['test_error']:.2f}, "
        f"residual: {row['largest_residual']:.1e}, RKHS norm: {row['rkhs_norm']:.2f}, "
        f"norm of the coefficients: {row['coefficient_norm']:.2f}, {row['solve_seconds']:.1f}s"
    )


def _check_enough_features(kernel: Kernel, ridge: float, stage: Stage, num_examples: int) -> None:
    if isinstance(kernel, LinearKernel) and not ridge and stage.num_features < num_examples:
        raise UserError(
            f"A linear kernel of {stage.num_features:,} features cannot interpolate {num_examples:,} examples. "
            "Set more features, fewer dataset.train_examples, a small interpolation.ridge or interpolation.kernel = "
            "@gaussian."
        )
