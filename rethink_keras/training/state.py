"""The state of a run: with the variables, it is all that a checkpoint holds."""

from __future__ import annotations

import dataclasses
import json
import typing
from typing import Any

import typeguard

from rethink_keras.errors import UserError
from rethink_keras.workdir.columns import MetricsRow

ALL_ITEMS = typeguard.CollectionCheckStrategy.ALL_ITEMS


@dataclasses.dataclass
class RunState:
    """Position and history of a run.

    Attributes:
        epoch: The epoch in progress, counted from 0; equal to the number of finished epochs.
        step: Steps done in that epoch.
        seconds: Time spent since the last row, by all processes that worked on it.
        running: Running averages of the epoch, set once its last step is done and until it is evaluated.
        rows: The rows of `metrics.csv`, one for each finished epoch that was evaluated.
        identity: Fingerprint of configuration and data. A run resumes from no other run's state.
        versions: Versions of Python, the libraries and this code, an entry for each combination that computed a
            part of the run. Empty in checkpoints from before they were recorded.
        row: The row of the epoch in progress, between its evaluation and its end. It is not saved.
    """

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    running: dict[str, float] | None = None
    rows: list[MetricsRow] = dataclasses.field(default_factory=list)
    identity: str = ""
    versions: list[dict[str, str]] = dataclasses.field(default_factory=list)
    row: MetricsRow | None = None

    @property
    def has_begun(self) -> bool:
        """Whether any step is done."""
        return bool(self.epoch or self.step)

    def add_versions(self, versions: dict[str, str]) -> None:
        """Records the versions that compute the run from now on."""
        if versions not in self.versions:
            self.versions.append(versions)

    def finish_epoch(self) -> None:
        """Moves on to the next epoch, and adds the row of this one if it was evaluated."""
        if self.row is not None:
            self.rows.append(self.row)
            self.seconds = 0.0
        self.epoch, self.step, self.running, self.row = self.epoch + 1, 0, None, None

    def finished_row(self, epoch: int) -> MetricsRow | None:
        """Returns the row of an epoch, counted from 0; None if it is not finished or was not evaluated."""
        is_last = bool(self.rows) and self.rows[-1]["epoch"] == epoch + 1
        return self.rows[-1] if is_last and self.epoch == epoch + 1 else None

    def to_json(self) -> str:
        """Returns the state as JSON, from which floats are read back to the bit."""
        fields = dataclasses.asdict(self)
        del fields["row"]
        return json.dumps(fields)

    @classmethod
    def from_json(cls, text: str) -> RunState:
        """Returns the state that `to_json` wrote.

        Raises:
            ValueError: The text is no state of a run.
            UserError: A later version of this project wrote it.
        """
        try:
            fields = typeguard.check_type(json.loads(text), dict[str, Any])
            kinds = typing.get_type_hints(cls)
            del kinds["row"]
            if later := sorted(set(fields) - set(kinds)):
                raise UserError(
                    f"A checkpoint has {', '.join(later)}, which only a later version of rethink_keras writes. "
                    "Resume the run with that version, or name another --workdir."
                )
            for name, value in fields.items():
                typeguard.check_type(value, kinds[name])
            rows, versions = fields.get("rows", []), fields.get("versions", [])
            typeguard.check_type(versions, kinds["versions"], collection_check_strategy=ALL_ITEMS)
            if not all(isinstance(row, dict) for row in rows):  # typeguard takes seconds for 100,000 of them
                raise ValueError("a row is no object")
        except (typeguard.TypeCheckError, RecursionError) as error:
            raise ValueError(str(error)) from error
        return cls(**fields)
