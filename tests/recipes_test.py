"""The recipes of CONTRIBUTING.md, performed: each adds an extension in a module of its own that a gin file imports."""

import importlib
import itertools
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.data.preprocessing import Preprocessing
from rethink_keras.data.randomization import Randomization
from rethink_keras.data.sources import Dataset
from rethink_keras.data.splits import Splits
from rethink_keras.errors import UserError
from rethink_keras.reports import report
from tests.reports import made_sweeps
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
LABELS = """
    import numpy as np
    from rethink_keras.data.randomization import LABEL_RANDOMIZATIONS, DrawnLabels, LabelRandomization

    @LABEL_RANDOMIZATIONS.register("by_id")
    class LabelsById(LabelRandomization):
        probability = 1.0

        def draw(self, ids, num_classes, *, seed, is_test):
            return DrawnLabels(np.ones(len(ids), bool), (np.asarray(ids) + seed) % num_classes)
"""
PIXELS = """
    from rethink_keras.data.randomization import PIXEL_RANDOMIZATIONS, PixelRandomization

    @PIXEL_RANDOMIZATIONS.register("upside_down")
    class UpsideDown(PixelRandomization):
        def apply(self, images, ids, *, seed, is_test, statistics):
            return images[:, ::-1].copy()
"""
SOURCE = """
    import numpy as np
    from rethink_keras.data.sources import SOURCES, ImageSet, Source

    @SOURCES.register("recipe_stripes")
    class Stripes(Source):
        train_examples = 40

        def open(self, split, data_dir, count):
            ids = np.arange(count or self.train_examples)
            images = np.zeros((len(ids), 6, 6, 1), np.uint8)
            images[ids % 2 == 0, ::2] = 255
            images[ids % 2 == 1, :, ::2] = 255
            return ImageSet(self.name, split, images, ids % 2, ids, ("horizontal", "vertical"))
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
ENGINE = """
    from rethink_keras.experiments.engines import ENGINES, Engine
    from rethink_keras.experiments.placement import Place
    from rethink_keras.experiments.run_process import run_job

    @ENGINES.register("one_by_one")
    class OneByOne(Engine):
        def places(self, threads, most, say):
            return [Place()]

        def run(self, job, stopping, say):
            say(f"{job.name} begins.")
            return run_job(job, stopping, say)
"""
PAPER_RESULT = """
    from rethink_keras.reports.measures import NETWORK, TEST_ACCURACY
    from rethink_keras.reports.paper_numbers import PaperNumbers
    from rethink_keras.reports.paper_results import PAPER_RESULTS, PaperResult

    @PAPER_RESULTS.register("table9")
    class Table9(PaperResult):
        name = "Table 9"
        title = "A table"
        how_to_read = "Test accuracies."
        dataset = "cifar10"
        numbers = PaperNumbers({("mlp_1x512", "plain"): {"test_accuracy": 51.25}})
        labels = (NETWORK,)
        measures = (TEST_ACCURACY,)
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


def split_of(name, **kinds):
    """Returns a split of the digits under a randomization with seed 3."""
    return Splits(Dataset(), Randomization(**kinds, seed=3), Preprocessing(), 0).randomized(name)


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


class LabelRandomizationTest(RecipeTestCase):
    def test_trains_on_its_labels(self):
        result = self.train(LABELS, "randomization.labels = 'by_id'", "train.seed = 3")
        self.assertEqual(result.summary["randomization"]["labels"], "by_id")
        self.assertFalse(result.summary["explicit_regularization"])
        self.assertLess(
            result.summary["final"]["test_accuracy"], 0.5
        )  # the labels have no relation to the images
        split = Splits(Dataset(), Randomization(labels="by_id", seed=3), Preprocessing(), 0).randomized(
            "train"
        )
        np.testing.assert_array_equal(split.labels, (split.source.ids + 3) % 10)

    def test_is_refused_if_it_draws_nothing(self):
        code = LABELS.replace("def draw", "def sample")
        self.assert_refused(code, "randomization.labels = 'by_id'", names=["LabelsById", "draw"])

    def test_is_refused_if_it_is_not_registered(self):
        code = LABELS.replace('@LABEL_RANDOMIZATIONS.register("by_id")', "")
        self.assert_refused(
            code, "randomization.labels = 'unknown'", names=["randomization.labels", "unknown"]
        )


class PixelRandomizationTest(RecipeTestCase):
    def test_trains_on_its_pixels(self):
        result = self.train(PIXELS, "randomization.pixels = 'upside_down'")
        self.assertEqual(result.summary["randomization"]["pixels"], "upside_down")
        images = [split_of("test", pixels=kind).examples().images for kind in ("true", "upside_down")]
        np.testing.assert_array_equal(images[0][:, ::-1], images[1])

    def test_is_refused_if_it_changes_nothing(self):
        code = PIXELS.replace("def apply", "def change")
        self.assert_refused(code, "randomization.pixels = 'upside_down'", names=["UpsideDown", "apply"])


class SourceTest(RecipeTestCase):
    def test_trains_on_its_images(self):
        result = self.train(
            SOURCE,
            "dataset.name = 'recipe_stripes'",
            "dataset.train_examples = None",
            "dataset.test_examples = None",
        )
        self.assertEqual(
            (result.summary["dataset"], result.summary["train_examples"]), ("recipe_stripes", 40)
        )
        self.assertEqual(result.summary["final"]["test_accuracy"], 1.0)

    def test_is_refused_without_a_number_of_examples(self):
        code = SOURCE.replace("train_examples = 40", "").replace("self.train_examples", "40")
        self.assert_refused(code, "dataset.name = 'recipe_stripes'", names=["Stripes", "train_examples"])


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


class EngineTest(RecipeTestCase):
    def sweep(self, code, engine):
        """Runs `bin/sweep` on one small run with an engine; returns its exit code, stdout and stderr."""
        path = self.gin_file(code)
        with path.open("a") as file:
            file.write("sweep.groups = [@mlp/group()]\n")
            file.write(f"mlp/group.network = 'mlp'\nmlp/group.base = {list(small_runs.SMALL)}\n")
            file.write(f"sweep.engine = '{engine}'\n")
        command = [sys.executable, str(ROOT / "bin" / "sweep"), f"--gin_file={path}", "--allow_imports"]
        done = subprocess.run(
            [*command, f"--workdir={self.folder / 'sweep'}"],
            env={**os.environ, "PYTHONPATH": str(self.folder)},
            capture_output=True,
            text=True,
        )
        return done.returncode, done.stdout, done.stderr

    def test_runs_a_sweep(self):
        code, out, err = self.sweep(ENGINE, "one_by_one")
        self.assertEqual(code, 0, err)
        self.assertIn("mlp/plain/seed_0 begins.", out)
        self.assertTrue((self.folder / "sweep" / "mlp" / "plain" / "seed_0" / "model.keras").exists())

    def test_is_refused_without_places(self):
        code, _, err = self.sweep(ENGINE.replace("def places", "def slots"), "one_by_one")
        self.assertEqual(code, 2)
        self.assertIn("OneByOne does not define places", err)

    def test_is_refused_if_it_is_not_registered(self):
        code, _, err = self.sweep(ENGINE, "slurm")
        self.assertEqual(code, 2)
        self.assertIn("sweep.engine is 'slurm'", err)


class PaperResultTest(RecipeTestCase):
    def report(self, code):
        """Registers a paper result and writes a report on a sweep of it, with a test accuracy of 50.75%."""
        importlib.import_module(self.gin_file(code).stem)
        plan = made_sweeps.plan("mlp_1x512", "plain", 0)
        folder = made_sweeps.sweep(self.folder / "sweep", "table9", [plan], "full")
        made_sweeps.run(folder, plan, made_sweeps.rows(4, (1.0, 0.5075)))
        report.write(folder, self.folder / "report")
        return (self.folder / "report" / "report.md").read_text()

    def test_is_compared_in_the_report(self):
        text = self.report(PAPER_RESULT)
        self.assertIn("## Table 9", text)
        for value in ("51.25", "50.75", "−0.50 | yes"):
            self.assertIn(value, text)
        self.assertTrue((self.folder / "report" / "figures" / "table9.png").exists())

    def test_is_refused_without_numbers_of_the_paper(self):
        with self.assertRaisesRegex(ValueError, "Table9.*test_accuracy"):
            self.report(PAPER_RESULT.replace('"test_accuracy": 51.25', ""))

    def test_is_refused_without_a_title(self):
        with self.assertRaisesRegex(TypeError, "Table9.*title"):
            self.report(PAPER_RESULT.replace('title = "A table"', ""))


if __name__ == "__main__":
    absltest.main()
