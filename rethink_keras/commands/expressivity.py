"""`bin/expressivity`: builds the networks of Theorem 1 (section 4)."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rethink_keras.commands import command_flags, runner
from rethink_keras.commands.tensorflow_start import start_tensorflow

USAGE = """
Builds the network of Theorem 1 (section 4): two layers and 2n + d weights fit any targets on n examples in d
dimensions. Measures the largest error, also of the deeper networks of its corollary.

  bin/expressivity --gin_file=gin/section4_theorem1.gin
  bin/expressivity --gin_file=gin/section4_theorem1.gin --gin_param="dataset.name = 'mnist'" \\
                   --gin_param='expressivity_table.sizes = (60000,)' --workdir=runs/theorem1_mnist

Exit codes: 0 done, 2 bad usage or configuration, 3 data not available or damaged, 5 the workdir's disk is full or
failing, 129 / 130 / 143 interrupted by SIGHUP / SIGINT / SIGTERM.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    values = command_flags.experiment_flags("expressivity_table")

    def build() -> None:
        start_tensorflow(values.debug)
        from rethink_keras.theory import expressivity_table

        runner.run_experiment(values, "expressivity_table", expressivity_table.expressivity_table)

    return runner.run_command(USAGE, values, build, argv or sys.argv)
