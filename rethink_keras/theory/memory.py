"""Will it fit? Memory and disk are checked before hours of work, not after."""

from __future__ import annotations

import resource
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

from rethink_keras.errors import DiskError, UserError
from rethink_keras.system import machine
from rethink_keras.validation import check_number

GIB = 2**30
ASIDE = GIB // 2  # for what is not counted


def check_memory(
    name: str, limit_gib: float | None, num_examples: int, needed: Callable[[int], int], otherwise: str = ""
) -> None:
    """Checks that an experiment fits into memory.

    Args:
        name: of the parameter that holds the limit, for the message.
        limit_gib: memory that this process may hold in all; None is what is free now.
        num_examples: training examples.
        needed: bytes for a number of training examples, growing with it.
        otherwise: what else helps, for the message.

    Raises:
        UserError: if it does not fit; names the number of examples that will.
    """
    if limit_gib is None:
        room = int(min(psutil.virtual_memory().available, machine.memory_limit() - resident()))
        whose = "are free"
    else:
        check_number(name, limit_gib, 1e-3, 2**20)
        room, whose = int(limit_gib * GIB) - resident(), f"are left of {name} = {limit_gib:g}"
    if needed(num_examples) + ASIDE <= room:
        return
    fits, too_many = 0, num_examples
    while too_many - fits > 1:
        middle = (fits + too_many) // 2
        fits, too_many = (middle, too_many) if needed(middle) + ASIDE <= room else (fits, middle)
    what = f"{num_examples:,} training examples need {(needed(num_examples) + ASIDE) / GIB:.2f} GiB of memory"
    way = f"Set dataset.train_examples = {fits} or less" if fits else "Free some memory"
    raise UserError(
        f"{what}, and {max(room, 0) / GIB:.2f} GiB {whose}: enough for {fits:,}. "
        f"{way}{', or ' if otherwise else ''}{otherwise}."
    )


def resident() -> int:
    """Bytes that this process holds now."""
    return psutil.Process().memory_info().rss


def check_disk(folder: Path, needed: int, otherwise: str) -> None:
    """Raises DiskError unless `folder`'s disk has room for `needed` bytes more."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskError(
            f"The disk of {folder} has {free / GIB:.1f} GiB free, and checkpoints take up to "
            f"{needed / GIB:.1f} GiB. Make room, name another --workdir, or {otherwise}."
        )


def peak_gib() -> float:
    """The most memory that this process has held so far, in GiB."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / GIB
