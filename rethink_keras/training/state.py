"""How far a run has come: what, with the variables, a checkpoint holds."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

Row = dict[str, Any]


@dataclasses.dataclass
class RunState:
    """Position and history of a run.

    Attributes:
        epoch: the epoch in progress, counted from 0; equal to the number of finished epochs.
        step: steps done in that epoch.
        seconds: time spent since the last row, by all the processes that worked on it.
        running: running averages of that epoch's training, kept once its last step is done.
        rows: one for each finished epoch that was measured, the columns of `metrics.csv`.
        identity: fingerprint of configuration and data; a state of another run is not gone on from.
    """

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    running: dict[str, float] | None = None
    rows: list[Row] = dataclasses.field(default_factory=list)
    identity: str = ""

    def finish_epoch(self, row: Row | None) -> None:
        """Moves on to the next epoch; None if this one was not measured."""
        if row is not None:
            self.rows.append(row)
            self.seconds = 0.0
        self.epoch, self.step, self.running = self.epoch + 1, 0, None

    def to_json(self) -> str:
        """As JSON; floats come back the same to the bit."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RunState:
        """The inverse of `to_json`."""
        return cls(**json.loads(text))


def first_epoch(rows: list[Row], reached) -> int | None:
    """Number of the first epoch, counted from 1, whose row satisfies `reached`; None if none does."""
    return next((row["epoch"] for row in rows if reached(row)), None)
