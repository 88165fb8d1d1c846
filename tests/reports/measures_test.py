from pathlib import Path

from absl.testing import absltest

from rethink_keras.reports.collect import Run
from rethink_keras.reports.measures import LABELS, TEST_ACCURACY, accuracy, has


class MeasuresTest(absltest.TestCase):
    def test_accuracies_are_in_percent(self):
        run = Run(Path(), "run", "done", summary={"final": {"test_accuracy": 0.25}})
        self.assertEqual(TEST_ACCURACY.read(run), 25)
        self.assertIsNone(accuracy("test_top5_accuracy", "test top-5 (%)").read(run))

    def test_labels_say_what_a_variant_has(self):
        self.assertEqual(has("crop")("net", "crop+weight_decay"), "yes")
        self.assertEqual(has("crop")("net", "crops"), "no")
        self.assertEqual(LABELS.text("net", "random_labels+crop"), "random")
        self.assertEqual(LABELS.text("net", "crop"), "true")


if __name__ == "__main__":
    absltest.main()
