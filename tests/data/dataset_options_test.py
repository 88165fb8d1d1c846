from absl.testing import absltest

from rethink_keras import config
from rethink_keras.data.splits import Splits
from tests.training.small_runs import SMALL


class OptionsTest(absltest.TestCase):
    def test_no_pass_over_a_split_waits_for_tuning(self):
        config.parse([], SMALL)
        try:
            batches = Splits.from_gin(None, 0).pipeline("train")
        finally:
            config.clear()
        for dataset in (batches.training_batches(32), batches.evaluation_batches(100)):
            self.assertFalse(dataset.options().autotune.enabled)
            self.assertTrue(dataset.options().deterministic)


if __name__ == "__main__":
    absltest.main()
