from absl.testing import absltest

from rethink_keras.training import summary
from rethink_keras.training.evaluation import Evaluation


class FinalMetricsTest(absltest.TestCase):
    def test_its_best_epoch_is_its_own(self):
        rows = [
            {
                "epoch": k + 1,
                "step": k,
                "seconds": 1,
                "train_loss": 1.0,
                "train_accuracy": 0.5,
                "test_loss": 1.0,
            }
            | {"test_accuracy": top1, "test_top5_accuracy": top5, "train_top5_accuracy": 0.9}
            for k, (top1, top5) in enumerate([(0.2, 0.5), (0.3, 0.4), (0.1, 0.6)])
        ]
        best = summary.final_metrics(rows, Evaluation(top5=True))["best_on_the_way"]
        self.assertEqual(best, {"test_accuracy": 0.3, "epoch": 2, "test_top5_accuracy": 0.6, "top5_epoch": 3})

    def test_without_an_epoch_there_are_none(self):
        self.assertEqual(summary.final_metrics([], Evaluation()), {"epochs": 0})

    def test_the_first_epochs_that_fit_are_named(self):
        rows = [
            {"epoch": k, "step": k, "seconds": 0.5, "train_loss": 1 / k, "train_accuracy": 1 - 1 / 2**k}
            | {"test_loss": 2.0, "test_accuracy": 0.5, "batch_norm": "none"}
            for k in range(1, 5)
        ]
        found = summary.final_metrics(rows, Evaluation(fit_loss=0.4, fit_accuracy=0.75))
        self.assertEqual((found["epochs_to_fit"], found["epochs_to_accuracy"]), (3, 2))
        self.assertEqual((found["epochs"], found["steps"], found["seconds"]), (4, 4, 2.0))


if __name__ == "__main__":
    absltest.main()
