"""The recipes of CONTRIBUTING.md, performed: each adds an extension in a module of its own that a gin file imports."""

import importlib
import itertools
import sys
import textwrap
from pathlib import Path

import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from tests.training import small_runs

ROOT = Path(__file__).parents[1]
_NUMBERS = itertools.count()

NETWORK = """
    import keras
    from rethink_keras.models.family import family

    @family(weight_decay=1e-4)
    def two_layers(input_shape, num_classes, *, units: int = 8) -> keras.Model:
        images = keras.Input(input_shape)
        x = keras.layers.Dense(units, activation="relu")(keras.layers.Flatten()(images))
        return keras.Model(images, keras.layers.Dense(num_classes, name="logits")(x))
"""
SCHEDULE = """
    import keras
    from rethink_keras.training.schedules import schedule

    @schedule
    def halved_late(*, initial, steps_per_epoch, epochs, last: int = 1):
        boundary = (epochs - last) * steps_per_epoch - 1
        return keras.optimizers.schedules.PiecewiseConstantDecay([boundary], [initial, initial / 2])
"""
OPTIMIZER = """
    import keras
    from rethink_keras.training.optimizers import optimizer

    @optimizer
    def adamax(learning_rate, *, beta_1: float = 0.9) -> keras.optimizers.Optimizer:
        return keras.optimizers.Adamax(learning_rate, beta_1=beta_1)
"""
CALLBACK = """
    from rethink_keras.training.callbacks import CALLBACKS, RunCallback

    @CALLBACKS.register("note_accuracy")
    class NoteAccuracy(RunCallback):
        def on_epoch_end(self, epoch, logs=None):
            row = self.run.state.finished_row(epoch)
            with (self.run.folder.path / "notes.txt").open("a") as file:
                file.write(f"{epoch} {row['train_accuracy']}\\n")
"""
EVALUATOR = """
    import keras
    from rethink_keras.training.evaluators import EVALUATORS, Evaluator

    @EVALUATORS.register("weight_norm")
    class WeightNorm(Evaluator):
        def evaluate(self, row):
            squares = [float(keras.ops.sum(keras.ops.square(w))) for w in self.run.network.trainable_weights]
            return {"weight_norm": sum(squares) ** 0.5}
"""


class RecipeTestCase(parameterized.TestCase):
    """Has a new `folder` for each test, from which modules are imported."""

    def setUp(self):
        super().setUp()
        self.folder = Path(self.create_tempdir())
        sys.path.insert(0, str(self.folder))
        self.addCleanup(sys.path.remove, str(self.folder))

    def gin_file(self, code):
        """Writes a module with `code` and a gin file that imports it; returns the gin file."""
        name = f"recipe_{next(_NUMBERS)}"
        (self.folder / f"{name}.py").write_text(textwrap.dedent(code).lstrip())
        importlib.invalidate_caches()
        self.addCleanup(sys.modules.pop, name, None)
        path = self.folder / f"{name}.gin"
        path.write_text(f"import {name}\n")
        return path

    def train(self, code, *bindings):
        """Trains a small run with an extension; returns its result."""
        path = self.gin_file(code)
        return small_runs.run(self.folder / path.stem, *bindings, gin_files=[path], allow_imports=True)

    def assert_refused(self, code, *bindings, names):
        """Checks that a run with an incomplete extension fails before training, with a message that has `names`."""
        with self.assertRaises(UserError) as caught:
            self.train(code, *bindings)
        for name in names:
            self.assertIn(name, caught.exception.sentence)
        self.assertEmpty(list(self.folder.rglob("metrics.csv")))


class NetworkTest(RecipeTestCase):
    def test_trains(self):
        result = self.train(NETWORK, "train.model = @two_layers", "two_layers.units = 16")
        self.assertEqual(result.summary["trainable_parameters"], 64 * 16 + 16 + 16 * 10 + 10)
        self.assertTrue(result.summary["explicit_regularization"])  # the default weight decay of the network

    def test_is_refused_without_its_decorator(self):
        code = NETWORK.replace("@family(weight_decay=1e-4)", "@gin.configurable").replace(
            "two_layers", "bare_layers"
        )
        self.assert_refused(
            "\n    import gin" + code, "train.model = @bare_layers", names=["train.model", "bare_layers"]
        )

    def test_is_refused_with_a_default_dropout_that_it_does_not_take(self):
        code = NETWORK.replace("weight_decay=1e-4", "weight_decay=1e-4, dropout=0.1")
        self.assert_refused(code, "train.model = @two_layers", names=["two_layers", "dropout"])


class ScheduleTest(RecipeTestCase):
    def test_trains(self):
        result = self.train(SCHEDULE, "train.schedule = @halved_late", "halved_late.last = 2")
        rates = [row["learning_rate"] for row in result.history]
        np.testing.assert_allclose(rates, [0.05, 0.025, 0.025], rtol=1e-6)

    def test_is_refused_without_an_argument(self):
        code = SCHEDULE.replace("steps_per_epoch, epochs,", "steps_per_epoch,")
        self.assert_refused(code, "train.schedule = @halved_late", names=["halved_late", "epochs"])


class OptimizerTest(RecipeTestCase):
    def test_trains(self):
        result = self.train(OPTIMIZER, "train.optimizer = @adamax", "train.learning_rate = 0.01")
        losses = [row["train_loss"] for row in result.history]
        self.assertLess(losses[-1], losses[0])
        self.assertIn("adamax.beta_1 = 0.9", (result.workdir / "config.gin").read_text())

    def test_is_refused_with_an_option_without_a_default(self):
        code = OPTIMIZER.replace("beta_1: float = 0.9", "beta_1")
        self.assert_refused(code, "train.optimizer = @adamax", names=["adamax", "beta_1"])


class CallbackTest(RecipeTestCase):
    def test_is_called_after_each_epoch(self):
        result = self.train(CALLBACK, "train.callbacks = ('note_accuracy',)")
        notes = (result.workdir / "notes.txt").read_text().splitlines()
        self.assertEqual(notes, [f"{n} {row['train_accuracy']}" for n, row in enumerate(result.history)])

    def test_is_refused_if_it_is_no_run_callback(self):
        code = CALLBACK.replace("(RunCallback)", "")
        self.assert_refused(
            code, "train.callbacks = ('note_accuracy',)", names=["NoteAccuracy", "RunCallback"]
        )

    def test_is_refused_if_it_is_not_registered(self):
        code = CALLBACK.replace('@CALLBACKS.register("note_accuracy")', "")
        self.assert_refused(
            code, "train.callbacks = ('not_registered',)", names=["train.callbacks", "not_registered"]
        )


class EvaluatorTest(RecipeTestCase):
    def test_adds_a_column(self):
        result = self.train(EVALUATOR, "evaluation.evaluators = ('weight_norm',)")
        heading, *lines = (result.workdir / "metrics.csv").read_text().splitlines()
        self.assertEqual(heading.split(",")[-1], "weight_norm")
        self.assertLen(lines, 3)
        for line, row in zip(lines, result.history, strict=True):
            self.assertEqual(float(line.split(",")[-1]), row["weight_norm"])
            self.assertGreater(row["weight_norm"], 1)

    def test_is_refused_if_it_measures_nothing(self):
        code = EVALUATOR.replace("def evaluate", "def measure")
        self.assert_refused(
            code, "evaluation.evaluators = ('weight_norm',)", names=["WeightNorm", "evaluate"]
        )

    def test_is_refused_if_its_column_is_taken(self):
        code = EVALUATOR.replace('"weight_norm":', '"train_loss":').replace('"weight_norm"', '"twice"')
        with self.assertRaisesRegex(UserError, "WeightNorm.*train_loss"):
            self.train(code, "evaluation.evaluators = ('twice',)")


if __name__ == "__main__":
    absltest.main()
