"""A run in TensorBoard: scalars, images, the confusion of labels, hyper-parameters, the configuration.

Everything is written anew when a run goes on, from what the run itself keeps, so that no point stands twice.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from rethink_keras.plotting import to_rgb
from rethink_keras.training.observers import Epoch, ObservedRun, Observer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = "tensorboard"
RUN, TRAIN, TEST = "", "train", "test"  # folders of event files; equal tags of several share one plot


class TensorBoard(Observer):
    """Event files in the workdir's `tensorboard/`, which is emptied first.

    The hyper-parameters are those of the HParams plugin. No run says which of them are the experiment's: the
    plugin then takes all that it finds, so that the runs of a sweep need not have the same.

    Raises:
        OSError: from `begin` and `add`, and from `end` of a run that is done, if the disk is full.
    """

    def begin(self, run: ObservedRun, epochs: Sequence[Epoch]) -> None:
        """Writes what is known before the first epoch, and the epochs so far."""
        self._run = run
        folder = run.workdir / FOLDER
        shutil.rmtree(folder, ignore_errors=True)
        with _os_errors():
            self._writers = {
                name: tf.summary.create_file_writer(str(folder / name)) for name in (RUN, TRAIN, TEST)
            }
            with self._writers[RUN].as_default(step=0):
                tf.summary.text("configuration", f"```\n{run.configuration}\n```")
                self._write_hyperparameters()
                if run.first_batch:
                    _write_picture("first_batch", run.first_batch())
        for epoch in epochs:
            self._write(epoch)
        self._flush()

    def add(self, epoch: Epoch) -> None:
        """Writes an epoch and brings it to the disk."""
        self._write(epoch)
        self._flush()

    def end(self, summary: dict[str, Any]) -> None:
        """Writes the final figures and how the run ended, and closes the event files."""
        with contextlib.ExitStack() as lenient:
            if summary["status"] != "done":
                lenient.enter_context(contextlib.suppress(OSError))  # what ended the run is told, not this
            self._write_end(summary)
        for writer in self._writers.values():
            with contextlib.suppress(tf.errors.OpError):  # all is flushed, or was told
                writer.close()

    def _write(self, epoch: Epoch) -> None:
        row = epoch.row
        with _os_errors():
            for name in (TRAIN, TEST):
                with self._writers[name].as_default(step=epoch.number):
                    for figure in ("loss", "accuracy", "top5_accuracy"):
                        if f"{name}_{figure}" in row:
                            tf.summary.scalar(figure, row[f"{name}_{figure}"])
                    if name == TRAIN:
                        tf.summary.scalar("learning_rate", row["learning_rate"])
                        tf.summary.scalar("penalty", row["penalty"])
            if epoch.confusion:
                self._write_confusion(epoch)

    def _write_confusion(self, epoch: Epoch) -> None:
        assert epoch.confusion
        figures = epoch.confusion.figures(self._run.class_names, epoch.number)
        with self._writers[RUN].as_default(step=epoch.number):
            for kind, accuracy in epoch.confusion.accuracies().items():
                tf.summary.scalar(f"accuracy_on/{kind}", accuracy)
                _write_picture(f"confusion/{kind}", figures[kind])

    def _write_hyperparameters(self) -> None:
        from tensorboard.plugins.hparams import api

        api.hparams(self._run.hyperparameters, trial_id=str(self._run.workdir))

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


def _write_picture(name: str, figure: Figure) -> None:
    tf.summary.image(name, to_rgb(figure)[tf.newaxis])


@contextlib.contextmanager
def _os_errors():
    try:
        yield
    except tf.errors.OpError as error:
        raise OSError(error.message.strip().splitlines()[0].rsplit(";", 1)[-1].strip()) from error
