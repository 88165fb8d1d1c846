import contextlib
import io
from unittest import mock

import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.errors import DivergedError, UserError
from rethink_keras.system.signals import Stopped
from rethink_keras.training import evaluation
from rethink_keras.training.batch_statistics import MovingAverages
from rethink_keras.training.callbacks.evaluate import Evaluate
from rethink_keras.training.evaluators import Evaluator
from rethink_keras.training.progress_display import ProgressDisplay
from rethink_keras.training.state import RunState
from rethink_keras.training.time_to_go import TimeToGo
from tests.training.made_run import STEPS, made_run

RUNNING = {"loss": 1.5, "cross_entropy": 1.0, "accuracy": 0.25}


class Answer(Evaluator):
    def evaluate(self, row):
        return {"answer": 42.0}


class Taken(Evaluator):
    def evaluate(self, row):
        return {"test_loss": 0.0}


class Tensor(Evaluator):
    def evaluate(self, row):
        return {"norm": np.zeros(2)}


class Interrupted(Evaluator):
    def evaluate(self, row):
        raise Stopped


class EvaluateTest(parameterized.TestCase):
    def setUp(self):
        super().setUp()
        self.folder = self.create_tempdir()
        measured = [{"loss": 0.5, "accuracy": 0.75}, {"loss": 2.0, "accuracy": 0.5}]
        self.evaluate = self.enter_context(mock.patch.object(evaluation, "evaluate", side_effect=measured))

    def end_epoch(self, *evaluators, bindings=(), state=None):
        state = state or RunState(epoch=1, step=STEPS, running=dict(RUNNING))
        run = made_run(self.folder, "evaluation.batch_size = 7", *bindings, state=state)
        made = [evaluator(run) for evaluator in evaluators]
        display = ProgressDisplay(), TimeToGo(run, 1)
        Evaluate(run, MovingAverages(), made, *display).on_epoch_end(state.epoch, RUNNING)
        return run.state

    def test_the_batches_of_recomputed_batch_norm_are_shown(self):
        class Recomputed(MovingAverages):
            count = 3

            @contextlib.contextmanager
            def for_evaluation(self, stop, on_batch=None):
                on_batch(2)
                yield

        run = made_run(self.folder, state=RunState(epoch=1, step=STEPS, running=dict(RUNNING)))
        display = ProgressDisplay(iter((0, 1000, 1000, 1000, 1000)).__next__)
        with contextlib.redirect_stdout(io.StringIO()) as out:
            Evaluate(run, Recomputed(), [], display, TimeToGo(run, 1)).on_epoch_end(1, RUNNING)
        self.assertEqual(out.getvalue(), "002, recomputing batch norm: batch 2 of 3\n")

    def test_the_row_has_both_splits_and_the_running_averages(self):
        state = self.end_epoch()
        expected = {
            "epoch": 2,
            "step": 2 * STEPS,
            "train_loss": 0.5,
            "train_accuracy": 0.75,
            "test_loss": 2.0,
            "test_accuracy": 0.5,
            "train_metrics": "fixed_weights",
            "batch_norm": "moving_averages",
            "running_loss": 1.0,
            "running_accuracy": 0.25,
            "penalty": 0.0,
        }
        self.assertEqual({name: state.row[name] for name in expected}, expected)
        self.assertAlmostEqual(state.row["learning_rate"], 0.05)
        self.assertEmpty(state.rows)

    def test_evaluators_add_columns(self):
        self.assertEqual(self.end_epoch(Answer).row["answer"], 42.0)

    def test_a_column_that_is_taken_is_refused(self):
        with self.assertRaisesRegex(UserError, "Taken.*test_loss"):
            self.end_epoch(Taken)

    def test_a_value_that_no_cell_can_contain_is_refused(self):
        with self.assertRaisesRegex(TypeError, "norm"):
            self.end_epoch(Tensor)

    @parameterized.parameters(({"step": STEPS - 1}, ()), ({}, ("evaluation.every_epochs = 3",)))
    def test_nothing_is_evaluated_in_mid_epoch_or_before_it_is_due(self, changes, bindings):
        state = RunState(**{"epoch": 1, "step": STEPS, "running": dict(RUNNING), **changes})
        self.assertIsNone(self.end_epoch(state=state, bindings=bindings).row)
        self.evaluate.assert_not_called()

    def test_a_stop_leaves_the_state_as_it_was(self):
        state = RunState(epoch=1, step=STEPS, running=dict(RUNNING), seconds=3.0)
        with self.assertRaises(Stopped):
            self.end_epoch(Interrupted, state=state)
        self.assertEqual((state.row, state.seconds, state.running), (None, 3.0, RUNNING))

    def test_a_loss_that_is_not_finite_is_divergence(self):
        self.evaluate.side_effect = [{"loss": 0.5, "accuracy": 1.0}, {"loss": float("nan"), "accuracy": 0.1}]
        with self.assertRaises(DivergedError):
            self.end_epoch()


if __name__ == "__main__":
    absltest.main()
