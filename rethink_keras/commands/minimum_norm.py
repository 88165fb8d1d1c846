"""Trains an over-parameterized linear layer by SGD (section 5).

Measures its distance to the minimum-norm solution.

  bin/minimum_norm --gin_file=gin/section5_minimum_norm.gin
  bin/minimum_norm --gin_file=gin/section5_minimum_norm.gin --gin_param="randomization.labels = 'random'"

Exit codes: 0 done, 2 bad usage or configuration, 3 data not available or damaged, 4 training diverged, 5 the
workdir's disk is full or failing, 129 / 130 / 143 interrupted by SIGHUP / SIGINT / SIGTERM.
"""

from __future__ import annotations

from collections.abc import Sequence

from rethink_keras.commands import runner


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return runner.run_theory(__doc__, "minimum_norm", argv)
