from absl.testing import absltest, parameterized

from rethink_keras.training.state import RunState
from rethink_keras.training.time_to_go import TimeToGo, duration
from tests.training.made_run import ROW, STEPS, made_run


class Clock:
    """A clock that a test sets."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class TimeToGoTest(absltest.TestCase):
    def begin(self, *bindings, until_epoch=10, state=None):
        self.clock = Clock()
        self.run_ = made_run(self.create_tempdir(), "train.epochs = 10", *bindings, state=state or RunState())
        self.estimate = TimeToGo(self.run_, until_epoch, self.clock)

    def epoch(self, step_seconds, evaluation_seconds, first_step=0, evaluated=True):
        """Takes the seconds of an epoch in two executions, and ends it."""
        state = self.run_.state
        state.step = first_step
        self.estimate.begin_steps()
        for step in ((first_step + STEPS) // 2, STEPS):
            self.clock.now += step_seconds * (step - state.step)
            state.step = step
            self.estimate.end_steps()
        self.clock.now += evaluation_seconds
        state.epoch, state.step = state.epoch + 1, 0
        if evaluated:
            state.rows.append({**ROW, "epoch": state.epoch})
        self.estimate.end_epoch(evaluated)

    def test_nothing_is_known_before_the_first_step(self):
        self.begin()
        self.assertEqual(self.estimate.describe(), "")
        self.estimate.begin_steps()
        self.assertEqual(self.estimate.describe(), "")

    def test_within_the_first_epoch_only_the_steps_are_known(self):
        self.begin()
        self.estimate.begin_steps()
        self.clock.now += 5 * 6.0
        self.run_.state.step = 5
        self.estimate.end_steps()
        self.assertEqual(self.estimate.describe(), "about 10 min to go without evaluation")  # 95 steps: 570 s

    def test_steps_and_evaluations_of_the_epochs_left(self):
        self.begin()
        self.epoch(6.0, 60.0)
        self.assertEqual(self.estimate.describe(), "at most 18 min to go")  # 9 epochs of 60 s + 60 s
        self.epoch(6.0, 60.0)
        self.assertEqual(self.estimate.describe(), "about 16 min to go")

    def test_the_first_measurement_does_not_count_beside_others(self):
        self.begin()
        self.estimate.begin_steps()
        for step, seconds in ((1, 600.0), (2, 1.0), (3, 1.0)):  # the first execution is compiled
            self.clock.now += seconds
            self.run_.state.step = step
            self.estimate.end_steps()
        self.assertEqual(self.estimate.describe(), "about 97 s to go without evaluation")

    def test_only_the_evaluations_that_are_due(self):
        self.begin("evaluation.every_epochs = 4")
        for epoch in range(1, 5):
            self.epoch(6.0, 600.0 if epoch == 4 else 0.0, evaluated=epoch == 4)
        # 6 epochs of 60 s, and evaluations after epochs 8 and 10
        self.assertEqual(self.estimate.describe(), "at most 26 min to go")

    def test_until_the_pause(self):
        self.begin(until_epoch=3)
        self.epoch(6.0, 60.0)
        self.assertEqual(self.estimate.describe(), "at most 4 min to go")
        self.epoch(6.0, 60.0)
        self.epoch(6.0, 60.0)
        self.assertEqual(self.estimate.describe(), "")

    def test_a_run_that_may_end_earlier_has_an_upper_limit(self):
        self.begin("evaluation.stop_when = 'fit_accuracy'")
        for _ in range(3):
            self.epoch(6.0, 60.0)
        self.assertStartsWith(self.estimate.describe(), "at most")
        self.run_.state.rows[-1]["train_accuracy"] = 1.0
        self.assertEqual(self.estimate.describe(), "")

    def test_a_resumed_run_counts_its_own_seconds(self):
        self.begin(state=RunState(epoch=6, step=4, seconds=1e6))
        self.epoch(6.0, 60.0, first_step=4)
        self.assertEqual(self.estimate.describe(), "at most 6 min to go")

    def test_an_evaluation_without_steps_is_no_measurement(self):
        self.begin(state=RunState(epoch=6, step=STEPS))
        self.run_.state.epoch, self.run_.state.step = 7, 0
        self.estimate.end_epoch(evaluated=True)
        self.assertEqual(self.estimate.describe(), "")


class DurationTest(parameterized.TestCase):
    @parameterized.parameters(
        (0.1, "1 s"),
        (45.2, "45 s"),
        (100, "2 min"),
        (99 * 60, "99 min"),
        (130 * 60, "2 h 10 min"),
        (50 * 3600, "2 d 2 h"),
    )
    def test_one_or_two_units(self, seconds, expected):
        self.assertEqual(duration(seconds), expected)


if __name__ == "__main__":
    absltest.main()
