import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.training.evaluators.confusion import Confusion, ConfusionOptions


class ConfusionTest(absltest.TestCase):
    def test_counts(self):
        labels = np.array([0, 0, 1, 2, 2])
        true = np.array([0, 1, 1, 0, 2])
        corrupted = np.array([False, True, False, True, True])
        counted = Confusion.counted(np.array([0, 1, 2, 2, 2]), labels, true, corrupted, 3)
        self.assertEqual(counted.clean.tolist(), [[1, 0, 0], [0, 0, 1], [0, 0, 0]])
        self.assertEqual(counted.corrupted.tolist(), [[0, 1, 0], [0, 0, 0], [0, 0, 2]])
        self.assertEqual(counted.corrupted_by_true_label.tolist(), [[0, 0, 1], [0, 1, 0], [0, 0, 1]])
        self.assertEqual(
            counted.accuracies(), {"clean": 1 / 2, "corrupted": 2 / 3, "corrupted_by_true_label": 2 / 3}
        )

    def test_a_plot_for_each_kind_that_counts_something(self):
        none = np.zeros((3, 3), int)
        plots = Confusion(none, np.eye(3, dtype=int), none).plots(("cat", "dog", "owl"), epoch=4)
        self.assertEqual(set(plots), {"corrupted"})
        (text,) = [text.get_text() for text in plots["corrupted"].texts if "epoch" in text.get_text()] or [""]
        title = plots["corrupted"].get_suptitle()
        self.assertIn("epoch 4", text + title)
        self.assertIn("100.0 %", text + title)


class ConfusionOptionsTest(parameterized.TestCase):
    def test_when_it_is_due(self):
        options = ConfusionOptions(every_epochs=3)
        self.assertEqual([epoch for epoch in range(1, 9) if options.due(epoch, epoch == 8)], [1, 3, 6, 8])
        self.assertFalse(ConfusionOptions(every_epochs=0).due(1, True))

    @parameterized.parameters({"every_epochs": -1}, {"examples": 0})
    def test_bad_values(self, **values):
        with self.assertRaisesRegex(UserError, f"^confusion.{next(iter(values))} is"):
            ConfusionOptions(**values)


if __name__ == "__main__":
    absltest.main()
