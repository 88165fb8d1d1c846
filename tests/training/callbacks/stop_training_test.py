import signal

from absl.testing import absltest

from rethink_keras.training.callbacks.stop_training import StopTraining
from rethink_keras.training.state import RunState
from tests.training.made_run import ROW, STEPS, made_run


class StopTrainingTest(absltest.TestCase):
    def made(self, *bindings, **state):
        run = made_run(self.create_tempdir(), *bindings, state=RunState(**state))
        callback = StopTraining(run)
        callback.set_model(run.network)
        run.network.stop_training = False
        return run, callback

    def test_a_signal_stops_in_mid_epoch(self):
        run, callback = self.made(step=3)
        callback.on_train_batch_end(0)
        self.assertFalse(run.network.stop_training)
        run.stop.receive(signal.SIGTERM)
        callback.on_train_batch_end(0)
        self.assertTrue(run.network.stop_training)

    def test_an_epoch_whose_steps_are_done_is_finished_first(self):
        run, callback = self.made(step=STEPS)
        run.stop.receive(signal.SIGTERM)
        callback.on_train_batch_end(0)
        self.assertFalse(run.network.stop_training)
        callback.on_epoch_end(0)
        self.assertTrue(run.network.stop_training)

    def test_ends_when_the_network_has_fitted(self):
        for bindings, ends in (((), False), (("evaluation.stop_when = 'fit_loss'",), True)):
            row = {**ROW, "train_loss": 0.01}
            run, callback = self.made(*bindings, epoch=1, rows=[row])
            callback.on_epoch_end(0)
            self.assertEqual(run.network.stop_training, ends)


if __name__ == "__main__":
    absltest.main()
