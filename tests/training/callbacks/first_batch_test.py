from absl.testing import absltest

from rethink_keras import config
from rethink_keras.training.callbacks.first_batch import first_batch
from rethink_keras.training.config import RunConfig


class FirstBatchTest(absltest.TestCase):
    def test_is_a_grid_of_two_rows(self):
        config.parse([], ["dataset.train_examples = 50", "randomization.labels = 'random'"])
        batches = RunConfig.from_gin().splits.pipeline("train")
        texts = [text.get_text() for text in first_batch(batches, 4).findobj() if hasattr(text, "get_text")]
        self.assertTrue(any("random labels" in text for text in texts))
        self.assertTrue(any("original" in text for text in texts))


if __name__ == "__main__":
    absltest.main()
