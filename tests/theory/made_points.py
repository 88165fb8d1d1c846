"""Points, labels and kernel matrices that several tests of theory need."""

from __future__ import annotations

import contextlib
import io
from unittest import mock

import numpy as np

from rethink_keras.system import machine
from rethink_keras.theory import kernel_matrix, parallel
from rethink_keras.theory.experiment import experiment
from rethink_keras.theory.kernel_matrix import KernelMatrix, PointProducts
from rethink_keras.theory.kernels import GaussianKernel


def points(count, dimensions=5, seed=0):
    return np.random.default_rng(seed).standard_normal((count, dimensions)).astype(np.float32)


def dense(a, b, gamma):
    """The Gaussian kernel by its definition, in float64."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    return np.exp(-gamma * ((a[:, np.newaxis] - b) ** 2).sum(axis=-1))


@contextlib.contextmanager
def matrix(x, test=None, gamma=0.5, ridge=0.0, cores=2):
    """A kernel matrix over points with its threads."""
    with mock.patch.object(machine, "cores", lambda: cores), parallel.workers() as pool:
        yield KernelMatrix(
            PointProducts(x, x[:1] if test is None else test), GaussianKernel(gamma), ridge, pool
        )


@contextlib.contextmanager
def small_panels(panel=64, chunk=16):
    """Panels so small that a few hundred examples have several."""
    from rethink_keras.theory import cholesky, solvers
    from rethink_keras.theory.features import summed_products

    with contextlib.ExitStack() as stack:
        for module in (kernel_matrix, cholesky, solvers, summed_products):
            stack.enter_context(mock.patch.object(module, "PANEL", panel))
            if hasattr(module, "CHUNK"):
                stack.enter_context(mock.patch.object(module, "CHUNK", chunk))
        yield


@contextlib.contextmanager
def quiet_experiment(folder):
    """An experiment that prints nothing."""
    with contextlib.redirect_stdout(io.StringIO()), experiment(folder, False) as run:
        yield run
