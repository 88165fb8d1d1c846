import json

from absl.testing import absltest

from rethink_keras.training.callbacks.write_metrics import WriteMetrics
from rethink_keras.training.state import RunState
from rethink_keras.training.summary import RunSummary
from tests.training.made_run import ROW, made_run


class WriteMetricsTest(absltest.TestCase):
    def test_writes_both_files_after_an_evaluated_epoch_only(self):
        run = made_run(self.create_tempdir(), state=RunState(epoch=1))
        callback = WriteMetrics(run, RunSummary(run))
        callback.on_epoch_end(0)  # it was not evaluated
        self.assertFalse(run.folder.metrics.exists())
        run.state.rows.append(dict(ROW))
        callback.on_epoch_end(1)  # it stopped in the middle
        self.assertFalse(run.folder.metrics.exists())
        callback.on_epoch_end(0)
        self.assertEqual(run.folder.read_metrics(), [ROW])
        summary = json.loads(run.folder.summary.read_text())
        self.assertEqual((summary["status"], summary["epochs"]), ("running", 1))


if __name__ == "__main__":
    absltest.main()
