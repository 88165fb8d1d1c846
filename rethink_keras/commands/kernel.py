r"""Interpolates all training labels by a kernel (section 5). The same command resumes a run that was stopped.

  bin/kernel --gin_file=gin/section5_mnist.gin
  bin/kernel --gin_file=gin/section5_mnist.gin --gin_param='dataset.train_examples = 10000' \
             --gin_param="randomization.labels = 'random'" --workdir=runs/random_labels

Exit codes: 0 done, 2 bad usage or configuration, or too little memory, 3 data not available or damaged, 5 the
workdir's disk is full or failing, 129 / 130 / 143 interrupted by SIGHUP / SIGINT / SIGTERM after saving.
"""

from __future__ import annotations

from collections.abc import Sequence

from rethink_keras.commands import runner


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return runner.run_theory(__doc__, "interpolation", argv)
