from absl.testing import absltest

from rethink_keras.errors import DivergedError
from rethink_keras.training.callbacks.save_checkpoint import SaveCheckpoint
from rethink_keras.training.checkpoints import Checkpoints
from rethink_keras.training.state import RunState
from tests.training.made_run import ROW, STEPS, made_run, spoil


class SaveCheckpointTest(absltest.TestCase):
    def made(self, *bindings, **state):
        self.run_ = made_run(self.create_tempdir(), *bindings, state=RunState(**state))
        checkpoints = Checkpoints(self.run_.folder.checkpoints, self.run_.network.weights)
        return SaveCheckpoint(self.run_, checkpoints)

    def saved(self):
        return sorted(path.stem for path in self.run_.folder.checkpoints.iterdir())

    def test_finishes_an_epoch_and_saves_it(self):
        callback = self.made(step=STEPS, running={"loss": 1.0}, row=dict(ROW))
        callback.on_epoch_end(0)
        self.assertEqual((self.run_.state.epoch, self.run_.state.step), (1, 0))
        self.assertEqual(self.run_.state.rows, [ROW])
        self.assertEqual(self.saved(), ["epoch-00001-step-0000000"])

    def test_an_epoch_that_stopped_in_the_middle_is_not_finished(self):
        callback = self.made(step=STEPS - 1)
        callback.on_epoch_end(0)
        self.assertEqual((self.run_.state.epoch, self.run_.state.step), (0, STEPS - 1))
        self.assertEmpty(self.saved())

    def test_saves_every_n_epochs_and_after_the_last(self):
        rows = [{**ROW, "epoch": epoch} for epoch in (3, 4)]
        for epoch, row, expected in ((0, None, 0), (1, None, 1), (2, rows[0], 0), (3, rows[1], 1)):
            callback = self.made(
                "checkpoints.every_epochs = 2", "train.epochs = 4", epoch=epoch, step=STEPS, row=row
            )
            callback.on_epoch_end(epoch)
            self.assertLen(self.saved(), expected)
        callback = self.made(
            "checkpoints.every_epochs = 9", "train.epochs = 4", epoch=3, step=STEPS, row=rows[1]
        )
        callback.on_epoch_end(3)
        self.assertLen(self.saved(), 1)

    def test_saves_in_mid_epoch_by_the_clock(self):
        callback = self.made("checkpoints.every_minutes = 1e-9", step=4)
        callback.on_train_batch_end(0)
        self.run_.state.step = STEPS
        callback.on_train_batch_end(1)  # the end of the epoch saves
        self.assertEqual(self.saved(), ["epoch-00000-step-0000004"])
        callback = self.made("checkpoints.every_minutes = 0", step=4)
        callback.on_train_batch_end(0)
        self.assertEmpty(self.saved())

    def test_never_saves_a_weight_that_is_not_finite(self):
        callback = self.made(step=STEPS, row=dict(ROW))
        spoil(self.run_.network)
        with self.assertRaises(DivergedError):
            callback.on_epoch_end(0)
        self.assertEmpty(self.saved())


if __name__ == "__main__":
    absltest.main()
