from pathlib import Path

from absl.testing import absltest

from rethink_keras.errors import DiskError, UserError
from rethink_keras.theory import memory


class MemoryTest(absltest.TestCase):
    def test_what_fits_is_fine(self):
        memory.check_memory("m", 1.0, 1000, lambda n: n * n)

    def test_names_the_largest_number_that_fits(self):
        with self.assertRaises(UserError) as caught:
            memory.check_memory("interpolation.memory_gib", 1.0, 60_000, lambda n: 2 * n * n)
        # 2 n² bytes in the half GiB that is not kept aside
        self.assertIn(
            "1.0 GiB are allowed by interpolation.memory_gib; 16,384 will do", caught.exception.sentence
        )
        self.assertIn("dataset.train_examples = 16384 or less", caught.exception.sentence)
        self.assertEqual(caught.exception.exit_code, 2)
        memory.check_memory("m", 1.0, 16_384, lambda n: 2 * n * n)

    def test_more_than_any_machine_has(self):
        with self.assertRaisesRegex(UserError, "GiB are free"):
            memory.check_memory("m", None, 10**8, lambda n: n * n)

    def test_limit_that_is_none(self):
        with self.assertRaisesRegex(UserError, "interpolation.memory_gib is 0"):
            memory.check_memory("interpolation.memory_gib", 0, 10, lambda n: n)

    def test_disk(self):
        memory.check_disk(Path(), 10, "")
        with self.assertRaisesRegex(DiskError, "checkpoints take up to .* or do without") as caught:
            memory.check_disk(Path(), 2**60, "do without")
        self.assertEqual(caught.exception.exit_code, 5)

    def test_peak_is_in_gib(self):
        self.assertBetween(memory.peak_gib(), 0.01, 100)


if __name__ == "__main__":
    absltest.main()
