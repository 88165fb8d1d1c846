"""A run in TensorBoard: scalars, images, label confusion, hyperparameters, the configuration.

All event files are written anew when a run is resumed, from what the run itself keeps, so that no point occurs twice.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from rethink_keras import config as gin_config
from rethink_keras.plotting import to_rgb
from rethink_keras.training.callbacks.writer import Writer
from rethink_keras.workdir.columns import MetricsRow, is_known

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = "tensorboard"
RUN, TRAIN, TEST = "", "train", "test"  # folders of event files; equal tags of several share one plot


class TensorBoard(Writer):
    """Writes event files in the workdir's `tensorboard/`, which is emptied first.

    The hyperparameters are those of the HParams plugin. No run declares which of them belong to the experiment: the
    plugin then takes all that it finds, so that the runs of a sweep need not have the same.

    Raises:
        OSError: From `open` and `write`, and from `close` of a run that is done, if the disk is full.
    """

    def open(self, rows: Sequence[MetricsRow]) -> None:
        """Writes the configuration, the hyperparameters, the first batch and the epochs so far."""
        from tensorboard.plugins.hparams import api

        folder = self.run.folder.path / FOLDER
        shutil.rmtree(folder, ignore_errors=True)
        with _os_errors():
            self._writers = {
                name: tf.summary.create_file_writer(str(folder / name)) for name in (RUN, TRAIN, TEST)
            }
            with self._writers[RUN].as_default(step=0):
                tf.summary.text("configuration", f"```\n{gin_config.operative()}\n```")
                api.hparams(self.hyperparameters, trial_id=str(self.run.folder.path))
                if figure := self.first_batch():
                    _write_image("first_batch", figure)
        for row in rows:
            self._write(row)
        self._flush()

    def write(self, row: MetricsRow) -> None:
        """Writes an epoch to the disk."""
        self._write(row)
        self._flush()

    def close(self, summary: dict[str, Any]) -> None:
        """Writes the final metrics and the status, and closes the event files."""
        with contextlib.ExitStack() as stack:
            if summary["status"] != "done":
                stack.enter_context(contextlib.suppress(OSError))  # the error that ended the run is reported
            self._write_end(summary)
        for writer in self._writers.values():
            with contextlib.suppress(tf.errors.OpError):  # all is flushed, or the error was raised before
                writer.close()

    def _write(self, row: MetricsRow) -> None:
        with _os_errors():
            for name in (TRAIN, TEST):
                with self._writers[name].as_default(step=row["epoch"]):
                    columns = {f"{name}_{metric}": metric for metric in ("loss", "accuracy", "top5_accuracy")}
                    if name == TRAIN:
                        columns |= {"learning_rate": "learning_rate", "penalty": "penalty"}
                    for column, tag in columns.items():
                        if column in row:  # Rows of an earlier version may lack it.
                            tf.summary.scalar(tag, row[column])
            with self._writers[RUN].as_default(step=row["epoch"]):
                for column, value in row.items():
                    if not is_known(column) and isinstance(value, (int, float)):  # of an evaluator
                        tf.summary.scalar(column, value)
                for kind, (accuracy, plot) in self.confusion_after(row).items():
                    tf.summary.scalar(f"accuracy_on/{kind}", accuracy)
                    _write_image(f"confusion/{kind}", plot)

    def _write_end(self, summary: dict[str, Any]) -> None:
        from tensorboard.plugins.hparams import api_pb2
        from tensorboard.plugins.hparams.summary import session_end_pb

        done = {"done": api_pb2.STATUS_SUCCESS, "interrupted": api_pb2.STATUS_UNKNOWN}
        status = done.get(summary["status"], api_pb2.STATUS_FAILURE)
        final = {
            "epochs_to_fit": summary.get("epochs_to_fit"),
            "epochs_to_accuracy": summary.get("epochs_to_accuracy"),
            "best_test_accuracy": summary.get("best_on_the_way", {}).get("test_accuracy"),
        }
        with _os_errors(), self._writers[RUN].as_default(step=summary["epochs"]):
            for name, value in final.items():
                if value is not None:
                    tf.summary.scalar(name, value)
            tf.summary.experimental.write_raw_pb(session_end_pb(status).SerializeToString())
        self._flush()

    def _flush(self) -> None:
        with _os_errors():
            for writer in self._writers.values():
                writer.flush()


def _write_image(name: str, figure: Figure) -> None:
    tf.summary.image(name, to_rgb(figure)[tf.newaxis])


@contextlib.contextmanager
def _os_errors():
    try:
        yield
    except tf.errors.OpError as error:
        raise OSError(error.message.strip().splitlines()[0].rsplit(";", 1)[-1].strip()) from error
