"""Several replicas against one device, on two, three and eight logical devices of the processor."""

import tempfile
from pathlib import Path

import numpy as np
from absl.testing import absltest, parameterized

from tests.training.distribution.device_processes import on_devices, train_on_imagenet, train_runs

# Batches and the short last one of an epoch divide by 2, 3 and 8. The rate is small: with batch normalization and a
# rate of 0.1, rounding alone makes losses differ by 1e-4 at the second step, on one device too.
EPOCHS = (
    "dataset.train_examples = 168",
    "train.batch_size = 48",
    "train.learning_rate = 0.001",
    "train.epochs = 2",
)
FIRST_STEPS_BOUND, BOUND = 1e-5, 1e-4  # of a loss: over the first epoch's four steps; of all others
WIDE_RESNET = ("train.model = @wide_resnet", "wide_resnet.depth = 10")
NETWORKS = {"mlp": (), "wide_resnet": WIDE_RESNET}
OPTIONS = {
    "mlp": (
        "train.epochs = 1",
        "augmentation.flip = True",
        "augmentation.random_crop = True",
        "augmentation.padding = 2",
        "regularization.weight_decay = 0.1",
        "regularization.decay = 'all'",
        "randomization.labels = 'partially_corrupted'",
        "randomization.corruption = 0.5",
        "train.tensorboard = True",  # for the label confusion
        "evaluation.top5 = True",
        "evaluation.batch_size = 32",  # the last batch of 100 is one of 4
    ),
    "wide_resnet": (*WIDE_RESNET, "train.epochs = 1", "evaluation.batch_norm = 'recomputed'"),
}


class DealingTest(absltest.TestCase):
    def test_each_replica_gets_a_consecutive_part_of_nearly_equal_size(self):
        sizes = (10, 6, 4, 3, 1)
        rows = [
            [[0, 1, 2], [3, 4, 5], [6, 7, 8, 9]],
            [[10, 11], [12, 13], [14, 15]],
            [[16], [17], [18, 19]],
            [[20], [21], [22]],
            [[], [], [23]],
        ]
        expected = [[[part, [10 * row for row in part]] for part in batch] for batch in rows]
        self.assertEqual(on_devices(3, "parts", sizes), expected)

    def test_metrics_and_predictions_of_unequal_parts(self):
        random = np.random.default_rng(0)
        logits, labels = random.normal(size=(14, 4)), random.integers(0, 4, 14)
        found = on_devices(3, "evaluated", logits.tolist(), labels.tolist(), 10)
        likelihoods = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        self.assertAlmostEqual(found["loss"], -np.log(likelihoods[range(14), labels]).mean(), places=6)
        self.assertAlmostEqual(found["accuracy"], (logits.argmax(axis=1) == labels).mean(), places=6)
        np.testing.assert_allclose(found["logits"], logits, rtol=1e-6)


class TrainingTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = Path(cls.enter_context(tempfile.TemporaryDirectory()))
        jobs = [job(folder / name, network) for name, network in NETWORKS.items()]
        cls.one = dict(zip(NETWORKS, train_runs(jobs), strict=True))

    @parameterized.parameters(2, 3, 8)
    def test_networks_train_are_evaluated_and_resume_as_on_one_device(self, count):
        folder = Path(self.create_tempdir())
        jobs = []
        for name, network in NETWORKS.items():
            resumed = job(folder / f"{name}_resumed", network)
            jobs += [job(folder / name, network), {**resumed, "pause_after": 1}]
        results = iter(on_devices(count, "train_runs", jobs))
        for name in NETWORKS:
            whole, resumed = next(results), next(results)
            with self.subTest(name):
                assert_agree(self, whole, self.one[name])
                self.assertEqual(resumed, whole)

    def test_options_of_a_run_mean_the_same(self):
        folder = Path(self.create_tempdir())

        def jobs(where):
            return [job(folder / where / name, options) for name, options in OPTIONS.items()]

        pairs = zip(on_devices(3, "train_runs", jobs("three")), train_runs(jobs("one")), strict=True)
        for name, (three, one) in zip(OPTIONS, pairs, strict=True):
            with self.subTest(name):
                assert_agree(self, three, one)
                self.assertEqual(three["confusion"], one["confusion"])
                self.assertEqual(three["confusion"] is not None, name == "mlp")

    def test_an_evaluation_batch_that_leaves_a_replica_without_an_example_is_refused(self):
        folder = Path(self.create_tempdir())
        refused = job(folder, ("evaluation.batch_size = 49",))  # 2 of 100 are left
        [result] = on_devices(3, "train_runs", [refused])
        self.assertRegex(result["error"], "evaluation.batch_size = 49.* 2 examples.*3 replicas")


class StreamedTest(absltest.TestCase):
    def test_streamed_images_train_and_are_evaluated_as_on_one_device(self):
        folder = Path(self.create_tempdir())
        two = on_devices(2, "train_on_imagenet", str(folder / "two"), False)
        assert_agree(self, two, train_on_imagenet(str(folder / "one"), False))

    def test_a_damaged_record_is_named(self):
        result = on_devices(2, "train_on_imagenet", self.create_tempdir().full_path, True)
        self.assertRegex(result["error"], "could not be read.*corrupted record")


def job(folder, bindings):
    """A run for `train_runs`."""
    return {"folder": str(folder), "bindings": [*EPOCHS, *bindings]}


def assert_agree(test, several, one):
    """Asserts that two runs agree: all but real numbers are equal, and these differ by no more than the bounds."""
    test.assertNotIn("error", several)
    for row, other in zip(several["history"], one["history"], strict=True):
        test.assertEqual(row.keys(), other.keys())
        for column, value in other.items():
            if isinstance(value, float):
                is_of_first_steps = row["epoch"] == 1 and column == "running_loss"
                bound = FIRST_STEPS_BOUND if is_of_first_steps else BOUND
                message = f"{column} of epoch {row['epoch']}"
                test.assertAlmostEqual(row[column], value, delta=bound, msg=message)
            else:
                test.assertEqual(row[column], value, column)


if __name__ == "__main__":
    absltest.main()
