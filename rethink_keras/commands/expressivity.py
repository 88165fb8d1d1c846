r"""Builds the network of Theorem 1 (section 4) and measures its largest error.

Two layers and 2n + d weights fit any targets on n examples in d dimensions. The deeper networks of the theorem's
corollary are measured, too.

  bin/expressivity --gin_file=gin/section4_theorem1.gin
  bin/expressivity --gin_file=gin/section4_theorem1.gin --gin_param="dataset.name = 'mnist'" \
                   --gin_param='expressivity_table.sizes = (60000,)' --workdir=runs/theorem1_mnist

Exit codes: 0 done, 2 bad usage or configuration, 3 data not available or damaged, 5 the workdir's disk is full or
failing, 129 / 130 / 143 interrupted by SIGHUP / SIGINT / SIGTERM.
"""

from __future__ import annotations

from collections.abc import Sequence

from rethink_keras.commands import runner


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    return runner.run_theory(__doc__, "expressivity_table", argv)
