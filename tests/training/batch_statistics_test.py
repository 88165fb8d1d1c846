"""Statistics of batch normalization that are recomputed for an evaluation, and whether moving averages keep up."""

import contextlib
import io
from pathlib import Path

import keras
import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras import config
from rethink_keras.data.splits import Splits
from rethink_keras.errors import StoppedBySignalError, UserError
from rethink_keras.system.signals import Stopped, StopRequest
from rethink_keras.training import batch_statistics, data, evaluation
from rethink_keras.training.batch_statistics import BatchStatistics
from rethink_keras.training.callbacks.epoch_order import EpochOrder
from rethink_keras.training.config import RunConfig
from rethink_keras.training.evaluation import Evaluation
from rethink_keras.training.network import build_network
from tests.training.small_runs import SMALL, run, sigterm_in_evaluation, timeless

WIDE_RESNET = (
    "train.model = @wide_resnet",
    "wide_resnet.depth = 10",
    "dataset.train_examples = 128",
    "train.epochs = 2",
)
RECOMPUTED = "evaluation.batch_norm = 'recomputed'"


def digits(*bindings):
    """The training and test batches of some digits."""
    config.parse([], [*SMALL, *bindings])
    splits = Splits.from_gin(None, 0)
    return splits.pipeline("train"), splits.pipeline("test")


def with_dropout():
    """A compiled network that drops half of the pixels before it normalizes."""
    images = keras.Input((8, 8, 1))
    x = keras.layers.Dropout(0.5)(images)
    x = keras.layers.BatchNormalization(name="norm")(x)
    network = keras.Model(images, keras.layers.Dense(10)(keras.layers.Flatten()(x)))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile("sgd", loss, metrics=["accuracy"])
    return network


def state(network):
    """The values of everything that training changes."""
    return [
        np.asarray(v) for v in (*network.variables, *network.optimizer.variables, *network.metrics_variables)
    ]


class BatchStatisticsTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.train, self.test = digits()
        self.network = with_dropout()
        self.network.fit(self.train.training_batches(32), verbose=0, shuffle=False)
        self.statistics = BatchStatistics(self.network, self.train, 32, 4)

    def test_are_the_mean_moments_of_the_first_batches_without_dropout(self):
        images = np.concatenate([images for images, _ in self.train.evaluation_batches(32).take(4)])
        batches = images.reshape(4, -1)
        norm = self.network.get_layer("norm")
        self.train.set_epoch(7)  # whatever epoch it is
        done: list[int] = []
        with self.statistics.for_evaluation(StopRequest(), done.append):
            self.assertEqual(done, list(range(1, self.statistics.count + 1)))
            np.testing.assert_allclose(norm.moving_mean, [batches.mean(1).mean()], rtol=1e-5, atol=1e-6)
            np.testing.assert_allclose(norm.moving_variance, [batches.var(1).mean()], rtol=1e-5)

    def test_change_nothing_after_the_block(self):
        before = state(self.network)
        with self.statistics.for_evaluation(StopRequest()):
            evaluation.predictions(self.network, self.test, 50, 50, StopRequest())
        self.assert_state(before)

    def test_change_nothing_when_a_stop_or_an_error_interrupts(self):
        before, stop = state(self.network), StopRequest()
        with self.assertRaises(KeyError), self.statistics.for_evaluation(StopRequest()):
            raise KeyError
        self.assert_state(before)
        stop.receive(15)
        with self.assertRaises(Stopped), self.statistics.for_evaluation(stop):
            self.fail("the block began after a stop was requested")
        self.assert_state(before)

    def test_a_small_training_set_gives_its_whole_batches(self):
        self.assertEqual(BatchStatistics(self.network, self.train, 128, 60).count, 300 // 128)

    def assert_state(self, before):
        for one, other in zip(before, state(self.network), strict=True):
            np.testing.assert_array_equal(one, other)


class RunTest(parameterized.TestCase):
    def test_measures_otherwise_trains_the_same_and_resumes_exactly(self):
        folder = Path(self.create_tempdir())
        plain = run(folder / "plain", *WIDE_RESNET)
        whole = run(folder / "whole", *WIDE_RESNET, RECOMPUTED)
        with self.assertRaises(StoppedBySignalError), sigterm_in_evaluation():
            run(folder / "stopped", *WIDE_RESNET, RECOMPUTED)
        resumed = run(folder / "stopped", *WIDE_RESNET, RECOMPUTED)
        saved = keras.models.load_model(folder / "whole" / "model.keras")
        _, test = digits(*WIDE_RESNET)
        images, labels = next(test.evaluation_batches(100).as_numpy_iterator())
        accuracy = np.mean(saved.predict(images, verbose=0).argmax(1) == labels)
        self.assertAlmostEqual(accuracy, whole.history[-1]["test_accuracy"], places=6)
        self.assertEqual(timeless(resumed.history), timeless(whole.history))
        self.assertEqual(whole.summary["fingerprints"], plain.summary["fingerprints"])
        for one, other in zip(plain.history, whole.history, strict=True):
            self.assertEqual(one["running_loss"], other["running_loss"])
            self.assertNotEqual(one["test_loss"], other["test_loss"])
            self.assertNotEqual(one["train_loss"], other["train_loss"])
        names = [result.history[-1]["batch_norm"] for result in (plain, whole)]
        self.assertEqual(names, ["moving_averages", "recomputed"])
        self.assertEqual([result.summary["batch_norm"] for result in (plain, whole)], names)

    def test_a_network_without_batch_norm(self):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            chosen = batch_statistics.choose(
                Evaluation(batch_norm="recomputed"), keras.Sequential([keras.Input((1,))]), digits()[0], 32
            )
        self.assertEqual(chosen.name, "none")
        self.assertIn("no batch norm", out.getvalue())

    @parameterized.parameters("evaluation.batch_norm = 'running'", "evaluation.batch_norm_batches = 0")
    def test_bad_values(self, binding):
        with self.assertRaisesRegex(UserError, binding.split(" =")[0]):
            run(Path(self.create_tempdir()), binding)


class LagTest(parameterized.TestCase):
    """With the default momentum, moving averages measure what recomputed statistics do."""

    @parameterized.parameters(
        [("train.model = @small_inception",)], [("train.model = @wide_resnet", "wide_resnet.depth = 10")]
    )
    def test_moving_averages_keep_up_with_the_weights(self, bindings):
        config.parse(
            [],
            [
                *SMALL,
                *bindings,
                "dataset.train_examples = 1200",
                "dataset.test_examples = 359",
                "train.learning_rate = 0.1",
                "train.schedule = @constant_rate",
                "regularization.weight_decay = 0",
            ],
        )
        run_config = RunConfig.from_gin()
        run_data, regularization = data.read(run_config)
        built = build_network(run_config, run_data.train, num_classes=10, regularization=regularization)
        network = built.network
        order = EpochOrder(run_data.train)
        network.fit(built.batch_source.dataset(0), epochs=3, verbose=0, shuffle=False, callbacks=[order])
        statistics = BatchStatistics(network, run_data.train, 32, 30)
        moving = evaluation.evaluate(network, run_data.test, 359, StopRequest())
        with statistics.for_evaluation(StopRequest()):
            recomputed = evaluation.evaluate(network, run_data.test, 359, StopRequest())
        self.assertGreater(recomputed["accuracy"], 0.8)
        self.assertLess(abs(moving["accuracy"] - recomputed["accuracy"]), 0.06)


if __name__ == "__main__":
    absltest.main()
