"""How far a run has come: what, with the variables, a checkpoint holds."""

from __future__ import annotations

import dataclasses
import json
import typing
from typing import Any

import typeguard

from rethink_keras.errors import UserError

ALL_ITEMS = typeguard.CollectionCheckStrategy.ALL_ITEMS
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
        identity: fingerprint of configuration and data; a run does not resume from another one's state.
        versions: of Python, the libraries and this code, for each set of them that computed a part of the run, in
            the order in which they did. Empty in checkpoints from before they were recorded.
    """

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    running: dict[str, float] | None = None
    rows: list[Row] = dataclasses.field(default_factory=list)
    identity: str = ""
    versions: list[dict[str, str]] = dataclasses.field(default_factory=list)

    @property
    def has_begun(self) -> bool:
        """Whether any step is done."""
        return bool(self.epoch or self.step)

    def add_versions(self, versions: dict[str, str]) -> None:
        """Records what computes the run from now on."""
        if versions not in self.versions:
            self.versions.append(versions)

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
        """The inverse of `to_json`.

        Raises:
            ValueError: if the text is no state of a run.
            UserError: if a later version of this project wrote it.
        """
        try:
            fields = typeguard.check_type(json.loads(text), dict[str, Any])
            kinds = typing.get_type_hints(cls)
            if later := sorted(set(fields) - set(kinds)):
                raise UserError(
                    f"A checkpoint has {', '.join(later)}, which this version of rethink_keras does not know: a later "
                    "one wrote it. Resume the run with that version, or name another --workdir."
                )
            for name, value in fields.items():
                typeguard.check_type(value, kinds[name])
            rows, versions = fields.get("rows", []), fields.get("versions", [])
            typeguard.check_type(versions, kinds["versions"], collection_check_strategy=ALL_ITEMS)
            if not all(isinstance(row, dict) for row in rows):  # typeguard takes seconds for 100,000 of them
                raise ValueError("a row is none")
        except (typeguard.TypeCheckError, RecursionError) as error:
            raise ValueError(str(error)) from error
        return cls(**fields)


def first_epoch(rows: list[Row], reached) -> int | None:
    """Number of the first epoch, counted from 1, whose row satisfies `reached`; None if none does."""
    return next((row["epoch"] for row in rows if reached(row)), None)
