"""Whether two runs are the same run, to the bit, and if not, from which epoch on they differ."""

from __future__ import annotations

from pathlib import Path

from rethink_keras.errors import RunsDifferError, UserError
from rethink_keras.workdir.record import DAMAGED, RunRecord
from rethink_keras.workdir.summary import DONE
from rethink_keras.workdir.workdir import Workdir

_TIMES = ("seconds",)
_ORDER = ("train_data", "test_data", "randomization", "epoch_order")
_WEIGHTS = "weights"


def verify(one: str | Path, other: str | Path) -> str:
    """Returns a sentence that both workdirs contain the same run.

    The fingerprints of data, randomization, epoch order and final weights are compared, and every column of every
    epoch, except for times.

    Args:
        one: A workdir.
        other: Another one.

    Raises:
        RunsDifferError: They differ; the message says in what, or from which epoch on.
        UserError: One of them holds no run, a damaged one, or one without a measured epoch.
    """
    both = f"{one} and {other}"
    first, second = _read(Path(one)), _read(Path(other))
    fingerprints = [run.summary["fingerprints"] for run in (first, second)]
    differing = [name for name in _ORDER if fingerprints[0][name] != fingerprints[1][name]]
    if differing:
        raise RunsDifferError(f"{both} differ from the beginning on: in their {_words(differing)}.")
    for number, (row, paired) in enumerate(zip(first.rows, second.rows, strict=False), start=1):
        names = [name for name in {**row, **paired} if name not in _TIMES]
        if columns := [name for name in names if repr(row.get(name)) != repr(paired.get(name))]:
            raise RunsDifferError(f"{both} differ from epoch {number} on: in {', '.join(columns)}.")
    lengths = len(first.rows), len(second.rows)
    if lengths[0] != lengths[1]:
        raise RunsDifferError(
            f"{both} are the same for {min(lengths)} epochs, but one has {lengths[0]} and the other {lengths[1]}."
        )
    weights = [each.get(_WEIGHTS) for each in fingerprints]
    if (weights[0] is None) != (weights[1] is None):
        unfinished = one if weights[0] is None else other
        raise RunsDifferError(f"{both} are the same in every epoch, but {unfinished} is not done yet.")
    if weights[0] != weights[1]:
        raise RunsDifferError(f"{both} differ in their final weights, though in no metric.")
    compared = f"{lengths[0]} epochs, the data, the randomization, the epoch order"
    if weights[0] is None:
        return f"{both} are the same run so far: {compared}. Neither is done, so weights are not compared."
    return f"{both} are the same run: {compared} and the final weights are equal to the bit."


def _read(folder: Path) -> RunRecord:
    record = Workdir(folder).read()
    if record.status == DAMAGED:
        raise UserError(f"{record.trouble}. Name the workdir of another run, or make this one again.")
    if not record.is_training:
        raise UserError(f"{folder} holds no run of bin/train. Name the workdir of one.")
    fingerprints = record.summary["fingerprints"]
    if missing := [name for name in _ORDER if name not in fingerprints]:
        raise UserError(
            f"{folder} cannot be compared: its summary.json has no fingerprint of its {_words(missing)}. Make the run "
            "again."
        )
    if record.status == DONE and _WEIGHTS not in fingerprints:
        raise UserError(
            f"{folder} cannot be compared: it is done without a fingerprint of its weights. Make it again."
        )
    if not record.rows:
        raise UserError(f"{folder} holds a run without a measured epoch: there is nothing to compare yet.")
    return record


def _words(names: list[str]) -> str:
    return " and ".join(name.replace("_", " ") for name in names)
