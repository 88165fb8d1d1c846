"""Checks that an experiment fits into memory and onto the disk, before hours of work."""

from __future__ import annotations

import bisect
import shutil
from collections.abc import Callable
from pathlib import Path

from rethink_keras.errors import DiskError, UserError
from rethink_keras.system import machine
from rethink_keras.validation import check_number

GIB = 2**30
RESERVE = GIB // 2  # for what `bytes_needed` does not count


def check_memory(
    limit_gib: float | None,
    num_examples: int,
    bytes_needed: Callable[[int], int],
    alternative: str = "",
) -> None:
    """Raises UserError unless an experiment fits into memory; the message has the number of examples that do.

    Args:
        limit_gib: Memory that this process may use in all, in GiB; None for what is free now.
        num_examples: Number of training examples.
        bytes_needed: Returns the bytes for a number of training examples. It must not decrease.
        alternative: What else helps, for the message.
    """
    if limit_gib is None:
        available, where = machine.free_memory(), "are free"
    else:
        check_number("interpolation.memory_gib", limit_gib, 1e-3, 2**20)
        available = int(limit_gib * GIB) - machine.resident_memory()
        where = f"are left of interpolation.memory_gib = {limit_gib:g}"
    if bytes_needed(num_examples) + RESERVE <= available:
        return
    fits = bisect.bisect(range(1, num_examples), available - RESERVE, key=bytes_needed)
    needed = (bytes_needed(num_examples) + RESERVE) / GIB
    remedy = f"Set dataset.train_examples = {fits} or less" if fits else "Free some memory"
    raise UserError(
        f"{num_examples:,} training examples need {needed:.2f} GiB of memory, and {max(available, 0) / GIB:.2f} GiB "
        f"{where}: enough for {fits:,}. {remedy}{', or ' if alternative else ''}{alternative}."
    )


def check_disk(folder: Path, needed: int, alternative: str) -> None:
    """Raises DiskError unless the disk of a folder has room for `needed` more bytes."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskError(
            f"The disk of {folder} has {free / GIB:.1f} GiB free, and checkpoints take up to "
            f"{needed / GIB:.1f} GiB. Make room, name another --workdir, or {alternative}."
        )
