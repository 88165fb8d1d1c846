"""How many processor threads each run of a sweep gets."""

from __future__ import annotations

from pathlib import Path

from rethink_keras.experiments.sweeps.manifest import NAME, Manifest
from rethink_keras.experiments.sweeps.sweep import Sweep
from rethink_keras.system import machine


def threads_of(sweep: Sweep, folder: Path) -> int:
    """Threads of each run: as bound, else those that the sweep in `folder` began with, else by the cores.

    Runs side by side on one thread each get more done than one run on all threads, whose steps wait for each
    other (`benchmarks.sweep_throughput`): with more runs than cores, each gets one.
    """
    if isinstance(sweep.threads, int):
        return sweep.threads
    if (folder / NAME).exists():
        return Manifest.read(folder).runs[0].threads
    return max(1, machine.cores() // sweep.count)
