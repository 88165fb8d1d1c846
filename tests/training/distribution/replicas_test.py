"""Several replicas against one device, on two, three and eight logical devices of the processor."""

import tempfile
from pathlib import Path

import numpy as np
from absl.testing import absltest, parameterized

from tests.training.distribution.device_processes import on_devices, train_on_imagenet, train_runs

# Batches and the short last one of an epoch divide by 2, 3 and 8. The rate is small: with batch normalization and a
# rate of 0.1, rounding alone makes losses differ by 1e-4 at the second step, on one device too.
COMMON = ("train.batch_size = 48", "train.learning_rate = 0.001", "train.epochs = 3")
STEPS = (*COMMON, "dataset.train_examples = 48")  # epochs of one step, whose running loss is that step's
EPOCHS = (*COMMON, "dataset.train_examples = 168")
STEP_BOUND, EPOCH_BOUND = 1e-5, 1e-4
WIDE_RESNET = ("train.model = @wide_resnet", "wide_resnet.depth = 10")
NETWORKS = {
    "mlp": (),
    "wide_resnet": WIDE_RESNET,
    "small_alexnet": ("train.model = @small_alexnet",),
}
OPTIONS = {
    "augmentation and top-5 accuracy": (
        "augmentation.flip = True",
        "augmentation.random_crop = True",
        "evaluation.top5 = True",
    ),
    "weight decay on all parameters": ("regularization.weight_decay = 0.1", "regularization.decay = 'all'"),
    "label confusion": (
        "randomization.labels = 'partially_corrupted'",
        "randomization.corruption = 0.5",
        "train.tensorboard = True",
    ),
    "running averages": ("evaluation.train_metrics = 'running_average'",),
    "recomputed statistics": (*WIDE_RESNET, "evaluation.batch_norm = 'recomputed'"),
    "an evaluation of unequal parts": ("evaluation.batch_size = 32",),  # the last batch of 100 is one of 4
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
        logits, labels = random.normal(size=(17, 4)), random.integers(0, 4, 17)
        found = on_devices(3, "evaluated", logits.tolist(), labels.tolist(), 10)
        likelihoods = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        self.assertAlmostEqual(found["loss"], -np.log(likelihoods[range(17), labels]).mean(), places=6)
        self.assertAlmostEqual(found["accuracy"], (logits.argmax(axis=1) == labels).mean(), places=6)
        np.testing.assert_allclose(found["logits"], logits, rtol=1e-6)


class TrainingTest(parameterized.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = Path(cls.enter_context(tempfile.TemporaryDirectory()))
        names = [(name, kind) for name in NETWORKS for kind in ("steps", "epochs")]
        jobs = [
            {
                "folder": str(folder / name / kind),
                "bindings": [*(STEPS if kind == "steps" else EPOCHS), *NETWORKS[name]],
            }
            for name, kind in names
        ]
        cls.one = dict(zip(names, train_runs(jobs), strict=True))

    @parameterized.parameters(2, 3, 8)
    def test_networks_train_are_evaluated_and_resume_as_on_one_device(self, count):
        folder = Path(self.create_tempdir())
        jobs = []
        for name, network in NETWORKS.items():
            steps, epochs = [*STEPS, *network], [*EPOCHS, *network]
            jobs += [
                {"folder": str(folder / name / "steps"), "bindings": steps},
                {"folder": str(folder / name / "epochs"), "bindings": epochs},
                {"folder": str(folder / name / "resumed"), "bindings": epochs, "pause_after": 1},
            ]
        results = iter(on_devices(count, "train_runs", jobs))
        for name in NETWORKS:
            steps, epochs, resumed = next(results), next(results), next(results)
            with self.subTest(name):
                assert_agree(self, steps, self.one[name, "steps"], STEP_BOUND)
                assert_agree(self, epochs, self.one[name, "epochs"], EPOCH_BOUND)
                self.assertEqual(resumed, epochs)

    def test_options_of_a_run_mean_the_same(self):
        folder = Path(self.create_tempdir())

        def jobs(where):
            return [
                {"folder": str(folder / where / name), "bindings": [*EPOCHS, *options]}
                for name, options in OPTIONS.items()
            ]

        pairs = zip(on_devices(3, "train_runs", jobs("three")), train_runs(jobs("one")), strict=True)
        for name, (three, one) in zip(OPTIONS, pairs, strict=True):
            with self.subTest(name):
                assert_agree(self, three, one, EPOCH_BOUND)
                self.assertEqual(three["confusion"], one["confusion"])
                self.assertEqual(three["confusion"] is not None, name == "label confusion")

    def test_an_evaluation_batch_that_leaves_a_replica_without_an_example_is_refused(self):
        folder = Path(self.create_tempdir())
        job = {"folder": str(folder), "bindings": [*EPOCHS, "evaluation.batch_size = 49"]}  # 2 of 100 are left
        [result] = on_devices(3, "train_runs", [job])
        self.assertRegex(result["error"], "evaluation.batch_size = 49.* 2 examples.*3 replicas")


class StreamedTest(absltest.TestCase):
    def test_streamed_images_train_and_are_evaluated_as_on_one_device(self):
        folder = Path(self.create_tempdir())
        two = on_devices(2, "train_on_imagenet", str(folder / "two"), False)
        assert_agree(self, two, train_on_imagenet(str(folder / "one"), False), EPOCH_BOUND)

    def test_a_damaged_record_is_named(self):
        result = on_devices(2, "train_on_imagenet", self.create_tempdir().full_path, True)
        self.assertRegex(result["error"], "could not be read.*corrupted record")


def assert_agree(test, several, one, bound):
    """Asserts that the losses of two runs differ by no more than a bound and accuracies do not differ."""
    test.assertNotIn("error", several)
    for row, other in zip(several["history"], one["history"], strict=True):
        test.assertEqual(row.keys(), other.keys())
        for column, value in other.items():
            if isinstance(value, float):
                message = f"{column} of epoch {row['epoch']}"
                test.assertAlmostEqual(row[column], value, delta=bound, msg=message)
            else:
                test.assertEqual(row[column], value, column)


if __name__ == "__main__":
    absltest.main()
