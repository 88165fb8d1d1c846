"""With the real package in its offline mode; what needs W&B's server is told by one made for the test."""

import contextlib
import importlib.util
import io
import json
import os
import types
import unittest
from pathlib import Path
from unittest import mock

from absl.testing import absltest

from rethink_keras.errors import StoppedBySignalError, UserError
from rethink_keras.training.callbacks.weights_and_biases import WeightsAndBiases
from rethink_keras.training.config import WandbRun
from rethink_keras.workdir.workdir import Workdir
from tests.training.small_runs import run, sigterm_at, timeless

HAS_WANDB = importlib.util.find_spec("wandb") is not None
OVERLAY = Path(__file__).parents[3] / "gin" / "with" / "wandb.gin"
WHERE = (
    "train.wandb = True",
    "wandb.project = 'a project'",
    "wandb.name = 'a name'",
    "wandb.tags = ('a', 'b')",
)
CORRUPTED = (
    "randomization.labels = 'random'",
    "regularization.dropout = 0.3",
    "train.steps_per_execution = 3",
)


def records(path):
    """What W&B's offline file holds, in order."""
    from wandb.proto.wandb_internal_pb2 import Record
    from wandb.sdk.internal.datastore import DataStore

    store = DataStore()
    store.open_for_scan(str(path))
    while data := store.scan_data():
        record = Record()
        record.ParseFromString(data)
        yield record


def history(file_records):
    """Figures by step."""
    told = {}
    for record in file_records:
        if record.WhichOneof("record_type") == "history":
            items = {(i.key or "/".join(i.nested_key)): json.loads(i.value_json) for i in record.history.item}
            told[items["_step"]] = items
    return told


@unittest.skipUnless(HAS_WANDB, "wandb is not installed (pip install -r requirements-wandb.txt)")
class OfflineTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())
        self.enter_context(mock.patch.dict(os.environ, WANDB_MODE="offline"))
        self.enter_context(contextlib.chdir(self.folder))

        import wandb

        wandb.teardown()  # it reads the environment once a process

    def test_a_run_that_goes_on_is_one_run_there_and_the_same_here(self):
        plain = run(self.folder / "plain", *CORRUPTED)
        folder = self.folder / "seen"
        with self.assertRaises(StoppedBySignalError), sigterm_at(4):
            run(folder, *CORRUPTED, *WHERE[1:], gin_files=[OVERLAY])
        with self.assertRaises(StoppedBySignalError), _sigterm_in_second_epoch():
            run(folder, *CORRUPTED, *WHERE[1:], gin_files=[OVERLAY])
        seen = run(folder, *CORRUPTED, *WHERE[1:], gin_files=[OVERLAY])

        self.assertEqual(timeless(seen.history), timeless(plain.history))
        self.assertEqual(seen.summary["fingerprints"], plain.summary["fingerprints"])
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"plain", "seen"})

        known = json.loads((folder / "wandb" / "run.json").read_text())
        self.assertEqual(known["next_step"], 4)
        files = sorted(
            (folder / "wandb").glob("offline-run-*/*.wandb"), key=lambda path: path.stat().st_mtime
        )
        self.assertEqual({path.name for path in files}, {f"run-{known['id']}.wandb"})
        self.assertLen(files, 3)
        parts = [list(records(path)) for path in files]
        told = [history(part) for part in parts]
        self.assertEqual([sorted(steps) for steps in told], [[0], [1], [2, 3]])
        for steps in told[1:]:
            for epoch, figures in steps.items():
                row = seen.history[epoch - 1]
                self.assertEqual(figures["train/accuracy"], row["train_accuracy"])
                self.assertEqual(figures["test/loss"], row["test_loss"])
                self.assertEqual(figures["learning_rate"], row["learning_rate"])
        (picture,) = (folder / "wandb").glob(f"offline-run-*/files/{told[0][0]['first_batch/path']}")
        self.assertGreater(picture.stat().st_size, 1000)
        self.assertIn("accuracy_on/corrupted", told[1][1])
        self.assertNotIn("accuracy_on/clean", told[1][1])
        begun = next(r.run for r in parts[0] if r.WhichOneof("record_type") == "run")
        self.assertEqual((begun.project, begun.display_name), ("a project", "a name"))
        self.assertEqual(list(begun.tags), ["a", "b"])
        config = {item.key: json.loads(item.value_json) for item in begun.config.update}
        self.assertEqual(config["train.learning_rate"], 0.05)
        self.assertEqual(
            config["run"]["fingerprints"]["train_data"], plain.summary["fingerprints"]["train_data"]
        )
        summary = {}
        for record in parts[-1]:
            for item in record.summary.update:
                summary[item.key or "/".join(item.nested_key)] = json.loads(item.value_json)
        self.assertEqual(summary["status"], "done")
        self.assertEqual(summary["final/test_accuracy"], seen.summary["final"]["test_accuracy"])

    def test_without_an_account_it_says_so_before_training(self):
        home = {"HOME": str(self.folder), "WANDB_MODE": "online", "WANDB_API_KEY": "", "WANDB_SILENT": "true"}
        folder = self.folder / "run"
        with (
            mock.patch.dict(os.environ, home),
            self.assertRaisesRegex(
                UserError, "Weights & Biases cannot be used .*API key.*WANDB_MODE=offline"
            ),
        ):
            run(folder, *WHERE)
        self.assertFalse((folder / "model.keras").exists())
        self.assertEqual(list((folder / "checkpoints").iterdir()), [])

    def test_a_failure_on_the_way_is_told_once_and_loses_nothing(self):
        import wandb

        errors = io.StringIO()
        with (
            mock.patch.object(wandb.Run, "log", side_effect=ConnectionError("the line is cut")),
            contextlib.redirect_stderr(errors),
        ):
            result = run(self.folder / "run", *WHERE)
        self.assertLen(result.history, 3)
        self.assertEqual(result.summary["status"], "done")
        self.assertEqual(
            errors.getvalue().count("Weights & Biases fails (the line is cut). Training continues"), 1
        )
        self.assertEqual(json.loads((self.folder / "run" / "wandb" / "run.json").read_text())["next_step"], 0)

    def test_a_damaged_record_is_told(self):
        folder = self.folder / "run" / "wandb"
        folder.mkdir(parents=True)
        for content in ("{", "[]", '{"id": "a"}'):
            (folder / "run.json").write_text(content)
            with self.assertRaisesRegex(UserError, "run.json is damaged. Remove it"):
                run(self.folder / "run", *WHERE)


class AbsentTest(absltest.TestCase):
    def test_a_missing_package_is_told_before_anything_is_made(self):
        folder = Path(self.create_tempdir())
        with mock.patch.dict("sys.modules", wandb=None):
            with self.assertRaisesRegex(
                UserError, "not installed. Run pip install -r requirements-wandb.txt"
            ):
                run(folder / "run", *WHERE)
            self.assertFalse((folder / "run").exists())

    def test_an_empty_name(self):
        with self.assertRaisesRegex(UserError, "^wandb.project is empty"):
            WandbRun(project="")


class OnlineTest(absltest.TestCase):
    def test_the_server_says_from_which_epoch_on_it_needs_the_rows(self):
        rows = [{"epoch": k, "train_loss": 1 / k} for k in range(1, 6)]
        folder = Path(self.create_tempdir())
        fake = types.SimpleNamespace(folder=Workdir(folder), train=None, facts={}, class_names=())
        for stands_at, expected in ((0, [1, 2, 3, 4, 5]), (4, [4, 5]), (7, [])):
            module = _server(stands_at)
            with mock.patch.dict("sys.modules", wandb=module), contextlib.redirect_stdout(io.StringIO()):
                writer = WeightsAndBiases(fake, {"a": 1}, None, WandbRun())
                writer.open(rows)
            sent = [call.kwargs["step"] for call in module.run.log.call_args_list]
            self.assertEqual(sent, expected)
            self.assertEqual(module.init.call_args.kwargs["resume"], "allow")
            writer.close({"status": "done", "final": {}})
            module.run.finish.assert_called_once_with(exit_code=0)
        ids = json.loads((folder / "wandb" / "run.json").read_text())["id"]
        self.assertEqual(module.init.call_args.kwargs["id"], ids)


def _server(stands_at):
    """A stand-in for the package, online, that has the steps before `stands_at`."""
    online = types.SimpleNamespace(settings=types.SimpleNamespace(mode="online"))
    module = mock.MagicMock(setup=lambda: online, Error=ValueError)
    module.run = module.init.return_value
    module.run.offline, module.run.starting_step = False, stands_at
    return module


def _sigterm_in_second_epoch():
    """SIGTERM in mid-epoch, but not in the first that a run does."""
    from rethink_keras.training.callbacks.stop_training import StopTraining
    from tests.training.small_runs import before_call, send_sigterm

    def has_come(callback, batch, *_):
        return callback.run.state.epoch == 1 and batch >= 3

    return before_call(StopTraining, "on_train_batch_end", send_sigterm, has_come)


if __name__ == "__main__":
    absltest.main()
