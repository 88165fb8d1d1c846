import keras
import numpy as np
from absl.testing import absltest

from rethink_keras.training.callbacks.track_state import TrackState
from rethink_keras.training.state import RunState
from tests.training.made_run import made_run


class TrackStateTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir()

    def test_counts_steps_by_executions_the_last_of_which_is_shorter(self):
        run = made_run(self.folder)
        callback = TrackState(run, steps_per_batch=4, metrics=[])
        callback.on_epoch_begin(0)
        steps = []
        for batch in range(3):
            callback.on_train_batch_end(batch, {"loss": 1.0})
            steps.append(run.state.step)
        self.assertEqual(steps, [4, 8, 10])
        self.assertGreater(run.state.seconds, 0)
        self.assertEqual(run.state.versions, [{"python": "3"}])

    def test_running_averages_belong_to_whole_epochs(self):
        run = made_run(self.folder)
        callback = TrackState(run, steps_per_batch=4, metrics=[])
        callback.on_epoch_begin(0)
        callback.on_train_batch_end(0, {"loss": 1.0})
        callback.on_epoch_end(0, {"loss": 1.0})
        self.assertIsNone(run.state.running)
        callback.on_train_batch_end(2, {"loss": 1.0})
        callback.on_epoch_end(0, {"loss": np.float32(0.5)})
        self.assertEqual(run.state.running, {"loss": 0.5})

    def test_a_resumed_epoch_continues_its_sums_and_its_seconds(self):
        metric = keras.metrics.Mean()
        metric.update_state([1.0, 2.0])
        run = made_run(self.folder, state=RunState(epoch=2, step=4, seconds=100.0))
        callback = TrackState(run, steps_per_batch=2, metrics=[metric])
        metric.reset_state()  # as Keras does at the beginning of an epoch
        callback.on_epoch_begin(2)
        self.assertEqual(float(metric.result()), 1.5)
        callback.on_train_batch_end(0, {"loss": 1.0})
        self.assertEqual(run.state.step, 6)
        self.assertGreaterEqual(run.state.seconds, 100.0)
        metric.reset_state()
        callback.on_epoch_begin(3)  # sums are continued once
        self.assertEqual(float(metric.result()), 0.0)


if __name__ == "__main__":
    absltest.main()
