from pathlib import Path
from unittest import mock

from absl.testing import absltest

from rethink_keras.errors import DiskError, UserError
from rethink_keras.system import machine
from rethink_keras.theory import memory


class MemoryTest(absltest.TestCase):
    def setUp(self):
        super().setUp()
        self.enter_context(mock.patch.object(machine, "resident_memory", lambda: memory.GIB))

    def test_what_fits_is_fine(self):
        memory.check_memory(2.0, 1000, lambda n: n * n)

    def test_names_the_largest_number_that_fits(self):
        with self.assertRaises(UserError) as caught:
            memory.check_memory(2.0, 60_000, lambda n: 2 * n * n, "or so")
        # 2 n² bytes in the half GiB that is left beside what is held and what is kept aside
        self.assertEqual(
            caught.exception.sentence,
            "60,000 training examples need 7.21 GiB of memory, and 1.00 GiB are left of interpolation.memory_gib = 2: "
            "enough for 16,384. Set dataset.train_examples = 16384 or less, or or so.",
        )
        self.assertEqual(caught.exception.exit_code, 2)
        memory.check_memory(2.0, 16_384, lambda n: 2 * n * n)

    def test_no_room_at_all(self):
        with self.assertRaisesRegex(
            UserError, "0.00 GiB are left of interpolation.memory_gib = 0.5: enough for 0. Free some memory."
        ):
            memory.check_memory(0.5, 10, lambda n: n)

    def test_more_than_any_machine_has(self):
        with self.assertRaisesRegex(UserError, "GiB are free"):
            memory.check_memory(None, 10**8, lambda n: n * n)

    def test_limit_that_is_none(self):
        with self.assertRaisesRegex(UserError, "interpolation.memory_gib is 0"):
            memory.check_memory(0, 10, lambda n: n)

    def test_disk(self):
        memory.check_disk(Path(), 10, "")
        with self.assertRaisesRegex(DiskError, "checkpoints take up to .* or do without") as caught:
            memory.check_disk(Path(), 2**60, "do without")
        self.assertEqual(caught.exception.exit_code, 5)


if __name__ == "__main__":
    absltest.main()
