"""A run in Weights & Biases; the package `wandb` is an optional requirement."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable, Sequence
from typing import Any

from rethink_keras.errors import UserError
from rethink_keras.plotting import to_rgb
from rethink_keras.system.files import write_atomically
from rethink_keras.training.callbacks.writer import Writer
from rethink_keras.training.config import WandbRun
from rethink_keras.training.evaluators.label_confusion import LabelConfusion
from rethink_keras.training.run import Run
from rethink_keras.workdir.columns import MetricsRow

FOLDER = "wandb"  # below the workdir; W&B itself uses this name
RECORD = "run.json"  # in it: the run's id, and the first step that was not sent yet
FINISH_SECONDS = 120.0  # that the end of a run waits for the network


class WeightsAndBiases(Writer):
    """Sends epochs to W&B, or in its offline mode writes them below the workdir; an epoch is a step there.

    A resumed run is the same run there, by the id kept in the workdir. What W&B has of it is not sent again:
    online, W&B reports how much that is; offline, the workdir does.

    Args:
        run: The run.
        hyperparameters: Numbers, words and truth values by name.
        confusion: Measures label confusion; None where it is not measured.
        where: Project, name and group of the run there.

    Raises:
        UserError: The package is not installed; from `open`, W&B cannot be reached or refuses.
    """

    def __init__(
        self, run: Run, hyperparameters: dict[str, Any], confusion: LabelConfusion | None, where: WandbRun
    ):
        super().__init__(run, hyperparameters, confusion)
        self._where = where
        self._wandb_run: Any = None
        self._wandb = import_wandb()

    def open(self, rows: Sequence[MetricsRow]) -> None:
        """Starts or resumes the run there, and sends the epochs that are missing there."""
        self._record = self.run.folder.path / FOLDER / RECORD
        self._record.parent.mkdir(exist_ok=True)
        known = self._known()
        self._id = known.get("id") or secrets.token_hex(4)
        self._start()
        offline = self._wandb_run.offline
        next_step = known.get("next_step", 0) if offline else self._wandb_run.starting_step
        self._note(next_step)
        sent_by = f"offline; wandb sync {self._record.parent} sends it"
        print(f"Weights & Biases: {sent_by if offline else self._wandb_run.url}", flush=True)
        if next_step == 0 and (figure := self.first_batch()):
            self._send({"first_batch": self._image(figure)}, step=0)
        for row in rows:
            if row["epoch"] >= next_step:
                self.write(row)

    def write(self, row: MetricsRow) -> None:
        """Sends an epoch."""
        values = {_grouped(name): value for name, value in row.items()}
        for kind, (accuracy, plot) in self.confusion_after(row).items():
            values[f"accuracy_on/{kind}"] = accuracy
            values[f"confusion/{kind}"] = self._image(plot)
        self._send(values, step=row["epoch"])

    def close(self, summary: dict[str, Any]) -> None:
        """Sends the final metrics and the status."""
        ended_well = summary["status"] in ("done", "interrupted")
        values = {
            name: value for name, value in summary.items() if isinstance(value, (bool, int, float, str))
        }
        for group in ("final", "best_on_the_way"):
            values |= {f"{group}/{name}": value for name, value in summary.get(group, {}).items()}
        self._try(lambda: self._wandb_run.summary.update(values))
        self._try(lambda: self._wandb_run.finish(exit_code=0 if ended_well else 1))

    def _known(self) -> dict[str, Any]:
        if not self._record.exists():
            return {}
        try:
            known = json.loads(self._record.read_text(encoding="utf-8"))
            return {"id": str(known["id"]), "next_step": int(known["next_step"])}
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{self._record} is damaged. Remove it: the run resumes, as a new one in Weights & Biases."
            ) from error

    def _start(self) -> None:
        wandb, where, folder = self._wandb, self._where, str(self.run.folder.path)
        offline = wandb.setup().settings.mode == "offline"
        try:
            self._wandb_run = wandb.init(
                project=where.project,
                name=where.name or folder,
                tags=list(where.tags),
                group=where.group,
                entity=where.entity,
                dir=folder,
                id=self._id,
                resume=None if offline else "allow",
                config={**self.hyperparameters, "run": self.run.facts},
                allow_val_change=True,  # another version of the code may resume the run
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
                f"Weights & Biases cannot be used ({why}). Correct that, set WANDB_MODE=offline and send the run "
                "later by wandb sync, or leave gin/with/wandb.gin out."
            ) from error

    def _image(self, figure) -> Any:
        return self._wandb.Image(to_rgb(figure))

    def _send(self, values: dict[str, Any], step: int) -> None:
        self._try(lambda: self._wandb_run.log(values, step=step))
        if self._wandb_run:
            self._note(step + 1)

    def _note(self, next_step: int) -> None:
        write_atomically(self._record, json.dumps({"id": self._id, "next_step": next_step}).encode())

    def _try(self, send: Callable[[], object]) -> None:
        """Sends. If that fails, prints it once and continues without W&B: the run is worth more."""
        if not self._wandb_run:
            return
        try:
            send()
        except Exception as error:  # whatever it is: the workdir has all metrics
            self._wandb_run = None
            why = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
            print(
                f"Weights & Biases fails ({why}). Training continues without it; the same command, run again before "
                "the run is done, sends what is missing.",
                file=sys.stderr,
                flush=True,
            )


def _grouped(column: str) -> str:
    """Returns a column's name there: W&B shows columns of one prefix side by side, train_loss as train/loss."""
    for split in ("train", "test"):
        if column.startswith(f"{split}_"):
            return f"{split}/{column.removeprefix(f'{split}_')}"
    return column


def import_wandb():
    """Imports the package.

    Raises:
        UserError: It is not installed.
    """
    try:
        import wandb
    except ImportError as error:
        raise UserError(
            "Weights & Biases is not installed. Run pip install -r requirements-wandb.txt, or leave "
            "gin/with/wandb.gin out."
        ) from error
    return wandb
