"""A run in Weights & Biases; the package `wandb` is an optional requirement."""

from __future__ import annotations

import dataclasses
import json
import secrets
import sys
from collections.abc import Callable, Sequence
from typing import Any

import gin

from rethink_keras.errors import UserError
from rethink_keras.plotting import to_rgb
from rethink_keras.system.files import write_atomically
from rethink_keras.training.observers import Epoch, ObservedRun, Observer

FOLDER = "wandb"  # below the workdir; W&B itself calls it so
RECORD = "run.json"  # in it: the run's id, and the first step that W&B has not been told
FINISH_SECONDS = 120.0  # that the end of a run waits for the network


@gin.configurable("wandb")
@dataclasses.dataclass(frozen=True)
class WandbRun:
    """Where a run appears in Weights & Biases.

    Attributes:
        project: of W&B.
        name: of the run there; None is the workdir's path.
        tags: of the run there.
        group: of runs there, such as those of a sweep; None for none.
        entity: user or team; None is the one who is logged in.
    """

    project: str = "rethink_keras"
    name: str | None = None
    tags: tuple[str, ...] | list[str] = ()
    group: str | None = None
    entity: str | None = None

    def __post_init__(self):
        for name in ("project", "name", "group", "entity"):
            if getattr(self, name) == "":
                raise UserError(f"wandb.{name} is empty. Give a word, or leave it out.")


class WeightsAndBiases(Observer):
    """Sends epochs to W&B, or in its offline mode writes them below the workdir; an epoch is a step there.

    A run that goes on is the same run there, by the id kept in the workdir. What W&B has of it is not sent again:
    online, W&B says how far that goes; offline, the workdir does.

    Args:
        where: the run appears.

    Raises:
        UserError: if the package is not installed; from `begin`, if W&B cannot be reached or refuses.
    """

    def __init__(self, where: WandbRun):
        self._where = where
        self._run: Any = None
        try:
            import wandb
        except ImportError as error:
            raise UserError(
                "Weights & Biases is not installed. Run pip install -r requirements-wandb.txt, or leave "
                "gin/with/wandb.gin out."
            ) from error
        self._wandb = wandb

    def begin(self, run: ObservedRun, epochs: Sequence[Epoch]) -> None:
        """Opens the run and sends what W&B has not of the epochs so far."""
        self._class_names = run.class_names
        self._record = run.workdir / FOLDER / RECORD
        self._record.parent.mkdir(exist_ok=True)
        known = self._known()
        self._id = known.get("id") or secrets.token_hex(4)
        self._open(run)
        next_step = known.get("next_step", 0) if self._run.offline else self._run.starting_step
        self._note(next_step)
        print(f"Weights & Biases: {self._where_it_lies()}", flush=True)
        if next_step == 0 and run.first_batch:
            self._send({"first_batch": self._picture(run.first_batch())}, step=0)
        for epoch in epochs:
            if epoch.number >= next_step:
                self.add(epoch)

    def add(self, epoch: Epoch) -> None:
        """Sends an epoch."""
        sent = {_grouped(name): value for name, value in epoch.row.items()}
        if epoch.confusion:
            figures = epoch.confusion.figures(self._class_names, epoch.number)
            for kind, accuracy in epoch.confusion.accuracies().items():
                sent[f"accuracy_on/{kind}"] = accuracy
                sent[f"confusion/{kind}"] = self._picture(figures[kind])
        self._send(sent, step=epoch.number)

    def end(self, summary: dict[str, Any]) -> None:
        """Sends the final figures and how the run ended."""
        ended_well = summary["status"] in ("done", "interrupted")
        told = {name: value for name, value in summary.items() if isinstance(value, (bool, int, float, str))}
        for group in ("final", "best_on_the_way"):
            told |= {f"{group}/{name}": value for name, value in summary.get(group, {}).items()}
        self._try(lambda: self._run.summary.update(told))
        self._try(lambda: self._run.finish(exit_code=0 if ended_well else 1))

    def _known(self) -> dict[str, Any]:
        if not self._record.exists():
            return {}
        try:
            known = json.loads(self._record.read_text(encoding="utf-8"))
            return {"id": str(known["id"]), "next_step": int(known["next_step"])}
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{self._record} is damaged. Remove it: the run goes on, as a new one in Weights & Biases."
            ) from error

    def _open(self, run: ObservedRun) -> None:
        wandb, where = self._wandb, self._where
        offline = wandb.setup().settings.mode == "offline"
        try:
            self._run = wandb.init(
                project=where.project,
                name=where.name or str(run.workdir),
                tags=list(where.tags),
                group=where.group,
                entity=where.entity,
                dir=str(run.workdir),
                id=self._id,
                resume=None if offline else "allow",
                config={**run.hyperparameters, "run": run.facts},
                allow_val_change=True,  # another version of the code may go on
                settings=wandb.Settings(
                    silent=True,
                    console="off",
                    disable_git=True,
                    finish_timeout=FINISH_SECONDS,
                    finish_timeout_raises=True,
                ),
            )
        except (wandb.Error, OSError, ValueError) as error:
            why = str(error).strip().splitlines()[0].rstrip(".")
            raise UserError(
                f"Weights & Biases cannot be used ({why}). Mend that, set WANDB_MODE=offline and send the run "
                "later by wandb sync, or leave gin/with/wandb.gin out."
            ) from error

    def _where_it_lies(self) -> str:
        if self._run.offline:
            return f"offline; wandb sync {self._record.parent} sends it"
        return f"{self._run.url}"

    def _picture(self, figure) -> Any:
        return self._wandb.Image(to_rgb(figure))

    def _send(self, figures: dict[str, Any], step: int) -> None:
        self._try(lambda: self._run.log(figures, step=step))
        if self._run:
            self._note(step + 1)

    def _note(self, next_step: int) -> None:
        write_atomically(self._record, json.dumps({"id": self._id, "next_step": next_step}).encode())

    def _try(self, send: Callable[[], object]) -> None:
        """Sends; if that fails, says so once and goes on without W&B: the run is worth more."""
        if not self._run:
            return
        try:
            send()
        except Exception as error:  # whatever it is, the workdir has it all
            self._run = None
            why = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            print(
                f"Weights & Biases fails ({why}). Training goes on without it; the same command, run again before "
                "the run is done, sends what is missing.",
                file=sys.stderr,
                flush=True,
            )


def _grouped(column: str) -> str:
    """W&B shows what has one prefix side by side: train_loss as train/loss."""
    for split in ("train", "test"):
        if column.startswith(f"{split}_"):
            return f"{split}/{column.removeprefix(f'{split}_')}"
    return column
