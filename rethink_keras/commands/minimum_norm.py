"""`bin/minimum_norm`: shows that SGD from zero finds the minimum-norm solution (section 5)."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rethink_keras.commands import command_flags, runner
from rethink_keras.commands.tensorflow_start import start_tensorflow

USAGE = """
Trains an over-parameterized linear layer by SGD (section 5) and measures its distance to the minimum-norm solution.

  bin/minimum_norm --gin_file=gin/section5_minimum_norm.gin
  bin/minimum_norm --gin_file=gin/section5_minimum_norm.gin --gin_param="randomization.labels = 'random'"

Exit codes: 0 done, 2 bad usage or configuration, 3 data not available or damaged, 4 training diverged, 5 the
workdir's disk is full or failing, 129 / 130 / 143 interrupted by SIGHUP / SIGINT / SIGTERM.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    values = command_flags.experiment_flags("minimum_norm")

    def descend() -> None:
        start_tensorflow(values.debug)
        from rethink_keras.theory import minimum_norm

        runner.run_experiment(values, "minimum_norm", minimum_norm.minimum_norm)

    return runner.run_command(USAGE, values, descend, argv or sys.argv)
