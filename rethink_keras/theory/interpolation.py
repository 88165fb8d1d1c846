"""Section 5: interpolation by kernels, the minimum-norm solution of n equations in as many unknowns."""

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
from rethink_keras.reports import filter_curve
from rethink_keras.system.files import open_atomically
from rethink_keras.theory import memory, solvers
from rethink_keras.theory.experiment import Experiment, Result, experiment, facts_of
from rethink_keras.theory.features import gabor_wavelets, random_convolutions  # noqa: F401 - their names in gin
from rethink_keras.theory.features.features import FeaturesBuilder, Stage, pixels
from rethink_keras.theory.kernel_matrix import KernelMatrix, one_hot
from rethink_keras.theory.kernels import Kernel, KernelBuilder, gaussian, linear
from rethink_keras.theory.parallel import workers
from rethink_keras.theory.solvers import SolverBuilder, direct
from rethink_keras.validation import check_number, check_seed


@gin.configurable(denylist=["workdir", "data_dir", "overwrite"])
def interpolation(
    *,
    workdir: str | Path,
    data_dir: str | Path | None = None,
    overwrite: bool = False,
    features: FeaturesBuilder = pixels,
    kernel: KernelBuilder = gaussian,
    ridge: float = 0.0,
    solver: SolverBuilder = direct,
    memory_gib: float | None = None,
    seed: int = 0,
) -> Result:
    """Solves (K + ridge) α = y for one-hot targets y and measures what K α says of the test images.

    Args:
        workdir: folder of the run.
        data_dir: TFDS data folder; None leaves it to TFDS.
        overwrite: moves an earlier run in the workdir aside.
        features: `@pixels`, `@gabor_wavelets` or `@random_convolutions`.
        kernel: `@gaussian` or `@linear`, of the features.
        ridge: added to the diagonal of K, an ℓ2 penalty; 0 interpolates, as the paper does.
        solver: `@direct` or `@iterative`.
        memory_gib: memory that may be used in all, in GiB; None takes what is free.
        seed: of the randomization and of random features.

    Returns:
        The summary: for each number of features the errors in percent, the largest residual and the norms.

    Raises:
        UserError: for a configuration that cannot be used, examples that are the same, or too little memory.
        DataNotAvailableError: if the data set is neither on disk nor to be had.
        StoppedBySignalError: if SIGINT, SIGTERM or SIGHUP came; what is done of a factor is saved.
    """
    check_number("interpolation.ridge", ridge, 0, 1e30)
    check_seed("interpolation.seed", seed)
    made = _built("features", features, "stages")
    kernel_function = _built("kernel", kernel, "diagonal")
    solve = _built("solver", solver, "solve")
    with experiment(workdir, overwrite) as run, workers() as pool:
        splits = Splits.from_gin(data_dir, seed)
        train, test = splits.randomized("train"), splits.randomized("test")
        facts = facts_of(splits, train, test, seed)
        if done := run.claim(facts):
            return Result(done, run.folder.path)
        memory.check_memory(
            "interpolation.memory_gib",
            memory_gib,
            train.num_examples,
            lambda n: solve.bytes_needed(n) + made.bytes_needed(n, test.num_examples, train.input_shape),
            "interpolation.solver = @iterative" if isinstance(solve, direct) else "",
        )
        targets = one_hot(train.labels, train.source.num_classes)
        rows = []
        for stage in made.stages(train, test, run):
            _check_enough_features(kernel_function, ridge, stage, train.num_examples)
            run.begin()
            matrix = KernelMatrix(stage.products, kernel_function, ridge, pool)
            identity = configuration.operative() + json.dumps(facts["fingerprints"]) + str(stage.num_features)
            row = _measure(matrix, stage, targets, train.labels, test.labels, solve, run, identity)
            rows.append(row)
            run.write_rows(rows)
            print(_line(row), flush=True)
        if len(rows) > 1:
            title = (
                f"{train.num_examples:,} examples of {train.source.name}, {splits.randomization.describe()}"
            )
            filter_curve.plot(rows, run.folder.path / "curve.png", title)
        return Result(run.write("done", {"final": rows[-1], "rows": rows, "norms": NORMS}), run.folder.path)


NORMS = {
    "rkhs_norm": "sqrt(sum over classes of αᵀKα), the norm of the interpolating functions in the kernel's space",
    "coefficient_norm": "sqrt(sum of squares of α over examples and classes)",
}


def _measure(
    matrix: KernelMatrix,
    stage: Stage,
    targets: np.ndarray,
    labels: np.ndarray,
    test_labels: np.ndarray,
    solver: solvers.Solver,
    run: Experiment,
    identity: str,
) -> dict[str, Any]:
    begin = time.perf_counter()
    solution = solver.solve(matrix, targets, run, identity)
    alpha = solution.x
    solved = time.perf_counter()
    values = matrix.times(alpha, lambda _: run.check_stop())
    fitted = values - matrix.ridge * alpha
    predicted = matrix.test_times(alpha)
    with open_atomically(run.folder.path / "alpha.npy") as file:
        np.save(file, alpha)
    return {
        "features": stage.num_features,
        **({} if stage.num_filters is None else {"filters": stage.num_filters}),
        "train_error": _error(fitted, labels),
        "test_error": _error(predicted, test_labels),
        "largest_residual": float(abs(values - targets).max()),
        "rkhs_norm": float(np.sqrt((alpha * fitted).sum())),
        "coefficient_norm": float(np.linalg.norm(alpha)),
        "ridge": matrix.ridge,
        **solvers.details(solution),
        "solve_seconds": round(solved - begin, 1),
        "measure_seconds": round(time.perf_counter() - solved, 1),
    }


def _error(scores: np.ndarray, labels: np.ndarray) -> float:
    """In percent."""
    return 100 * float((scores.argmax(axis=1) != labels).mean())


def _line(row: dict[str, Any]) -> str:
    filters = f"{row['filters']:,} filters, " if "filters" in row else ""
    return (
        f"{filters}{row['features']:,} features: Err-tr: {row['train_error']:.2f}, Err-te: {row['test_error']:.2f}, "
        f"residual: {row['largest_residual']:.1e}, RKHS norm: {row['rkhs_norm']:.2f}, "
        f"norm of the coefficients: {row['coefficient_norm']:.2f}, {row['solve_seconds']:.1f}s"
    )


def _check_enough_features(kernel: Kernel, ridge: float, stage: Stage, num_examples: int) -> None:
    if isinstance(kernel, linear) and not ridge and stage.num_features < num_examples:
        raise UserError(
            f"A linear kernel of {stage.num_features:,} features cannot interpolate {num_examples:,} examples. "
            "Take more features, fewer examples, a small interpolation.ridge or the kernel @gaussian."
        )


def _built(name: str, builder: Any, method: str) -> Any:
    """What a builder builds; `method` tells its kind."""
    if not hasattr(builder, method):
        word = getattr(builder, "__name__", builder)
        raise UserError(
            f"interpolation.{name} is {word}, which is of another kind. Take one that the gin files use."
        )
    return builder()
