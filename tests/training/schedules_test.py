import math

from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.training import schedules

STEPS, EPOCHS = 391, 300


def rates(schedule, epochs, **options):
    built = schedule(initial=0.1, steps_per_epoch=STEPS, epochs=EPOCHS, **options)
    return [(float(built(e * STEPS)), float(built(e * STEPS + STEPS - 1))) for e in epochs]


class SchedulesTest(parameterized.TestCase):
    def test_exponential_decays_after_every_epoch_as_the_paper_does(self):
        for epoch, (first, last) in zip((0, 1, 68), rates(schedules.exponential, (0, 1, 68)), strict=True):
            self.assertAlmostEqual(first, 0.1 * 0.95**epoch, places=6)
            self.assertEqual(first, last)

    def test_steps_drop_exactly_after_their_epochs(self):
        found = rates(schedules.steps, (0, 149, 150, 224, 225, 299))
        for (first, last), expected in zip(found, (0.1, 0.1, 0.01, 0.01, 0.001, 0.001), strict=True):
            self.assertAlmostEqual(first, expected, places=7)
            self.assertAlmostEqual(last, expected, places=7)

    def test_cosine_is_half_a_cosine(self):
        built = schedules.cosine(initial=0.1, steps_per_epoch=STEPS, epochs=EPOCHS, final=0.001)
        total = STEPS * EPOCHS
        for share in (0.0, 0.25, 0.5, 1.0):
            expected = 0.001 + 0.099 * (1 + math.cos(math.pi * share)) / 2
            self.assertAlmostEqual(float(built(int(share * total))), expected, places=6)

    def test_constant(self):
        self.assertLen(
            {rate for pair in rates(schedules.constant_rate, range(0, 300, 50)) for rate in pair}, 1
        )

    @parameterized.parameters(
        (schedules.exponential, {"factor": 0}),
        (schedules.exponential, {"factor": 1.5}),
        (schedules.steps, {"after": (225, 150)}),
        (schedules.steps, {"after": ()}),
        (schedules.cosine, {"final": -1}),
    )
    def test_bad_values(self, schedule, options):
        with self.assertRaises(UserError):
            rates(schedule, (0,), **options)

    def test_a_function_of_other_arguments_is_refused_when_it_is_registered(self):
        with self.assertRaisesRegex(TypeError, "wrong"):

            @schedules.schedule
            def wrong(rate): ...


if __name__ == "__main__":
    absltest.main()
