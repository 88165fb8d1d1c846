from absl.testing import absltest

from rethink_keras.training.callbacks.epoch_order import EpochOrder
from tests.training.made_run import Batches


class EpochOrderTest(absltest.TestCase):
    def test_sets_each_epoch_before_its_batches_are_read(self):
        batches = Batches()
        callback = EpochOrder(batches)
        for epoch in (3, 4):
            callback.on_epoch_begin(epoch)
        self.assertEqual(batches.epochs, [3, 4])


if __name__ == "__main__":
    absltest.main()
