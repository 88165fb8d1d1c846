import hashlib
import itertools
import statistics

import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from rethink_keras.data import random_bits
from rethink_keras.data.random_bits import Stream

WORDS = 2**64 - 1
IDS = np.arange(300)


def philox(key, counter):
    """Philox 4x64-10 as published (Salmon et al., SC 2011), in plain integers."""
    (k0, k1), (c0, c1, c2, c3) = key, counter
    for _ in range(10):
        first, second = 0xD2E7470EE14C6C93 * c0, 0xCA5A826395121157 * c2
        c0, c1, c2, c3 = (second >> 64) ^ c1 ^ k0, second & WORDS, (first >> 64) ^ c3 ^ k1, first & WORDS
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & WORDS, (k1 + 0xBB67AE8584CAA73B) & WORDS
    return [c0, c1, c2, c3]


def digest(array):
    little_endian = array.astype(array.dtype.newbyteorder("<"))
    return hashlib.sha256(little_endian.tobytes()).hexdigest()[:16]


def chi_square(counts):
    expected = np.sum(counts) / len(counts)
    return float(np.sum((np.asarray(counts) - expected) ** 2) / expected)


class WordsTest(parameterized.TestCase):
    def test_reference_gives_the_published_answer(self):
        answer = [0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B]
        self.assertEqual(philox((0, 0), (0, 0, 0, 0)), answer)

    @parameterized.parameters((0, 0, 0), (7, 5, 3), (2**32 - 1, 49_999, 68), (2**64 - 1, 2**40, 2**20))
    def test_both_layouts_are_philox(self, seed, example_id, epoch):
        # numpy counts up by one before its first block.
        for stream in Stream:
            by_id = random_bits.words_by_id(seed, stream, np.array([example_id]), epoch)
            self.assertEqual(by_id.tolist(), [philox((seed, stream), (example_id + 1, epoch, 0, 0))])
            in_depth = random_bits.words_in_depth(seed, stream, example_id, 6, epoch)
            blocks = [philox((seed, stream), (block, example_id, epoch, 1)) for block in (1, 2)]
            self.assertEqual(in_depth.tolist(), [*blocks[0], *blocks[1][:2]])

    @parameterized.parameters(
        (Stream.CORRUPTED, 1, "2306ac1b4beefa30", "d533e877c43d9693"),
        (Stream.LABEL, 2, "a2677cb10b77c4ae", "a035b09baed92c48"),
        (Stream.PIXELS_AFFECTED, 3, "b0d3c129c6da918f", "9c3069ef4f1cbc9c"),
        (Stream.SHARED_PERMUTATION, 4, "255491d603863fc6", "2273cdd07acdf842"),
        (Stream.OWN_PERMUTATION, 5, "d048f6ead3a78175", "66606330b7a4be8f"),
        (Stream.GAUSSIAN, 6, "8c2bca05164f8c91", "fc064917c3b4150c"),
        (Stream.EPOCH_ORDER, 7, "b7da029d0f7ed03f", "ea62f6a4ffe2f716"),
        (Stream.AUGMENTATION, 8, "4ba04ed2c357cd31", "8cd9fa5e36b78015"),
        (Stream.LANDMARKS, 9, "24d8b4ca1d5c0797", "161bd37b758f0b8e"),
        (Stream.FILTERS, 10, "1fbc16d00bba527c", "5552424a701c4085"),
        (Stream.PROJECTION, 11, "2a564c2c10763fcf", "1558a958a735db89"),
        (Stream.TARGETS, 12, "a03529740745c327", "18308d7431f42e68"),
        (Stream.INITIAL_WEIGHTS, 13, "04d916d46ded0389", "ec7f392527dc8007"),
    )
    def test_golden(self, stream, number, by_id, in_depth):
        self.assertEqual(stream, number)
        self.assertEqual(digest(random_bits.words_by_id(7, stream, np.arange(100), 3)), by_id)
        self.assertEqual(digest(random_bits.words_in_depth(7, stream, 5, 100, 3)), in_depth)

    @settings(deadline=None, max_examples=50)
    @given(ids=st.lists(st.integers(0, len(IDS) - 1), max_size=40), epoch=st.integers(0, 3))
    def test_any_ids_in_any_order_equal_the_rows_of_the_full_call(self, ids, epoch):
        full = random_bits.words_by_id(1, Stream.LABEL, IDS, epoch)
        self.assertEqual(full.shape, (len(IDS), 4))
        some = random_bits.words_by_id(1, Stream.LABEL, np.array(ids, np.int64), epoch)
        self.assertEqual(some.dtype, np.uint64)
        np.testing.assert_array_equal(some, full[ids])
        for row in ids[:3]:
            alone = random_bits.words_by_id(1, Stream.LABEL, np.array([row]), epoch)
            np.testing.assert_array_equal(alone, full[row : row + 1])

    @parameterized.parameters(([0, 2, 1, 3],), ([3, 2, 1, 0],), ([5, 5, 6, 7],), ([9, 8],))
    def test_a_full_range_out_of_order_is_not_taken_for_one_in_order(self, ids):
        full = random_bits.words_by_id(2, Stream.CORRUPTED, IDS)
        np.testing.assert_array_equal(random_bits.words_by_id(2, Stream.CORRUPTED, ids), full[ids])

    @settings(deadline=None, max_examples=30)
    @given(fewer=st.integers(0, 50), more=st.integers(0, 50))
    def test_in_depth_a_shorter_call_is_the_beginning_of_a_longer_one(self, fewer, more):
        short = random_bits.words_in_depth(1, Stream.GAUSSIAN, 9, fewer)
        long = random_bits.words_in_depth(1, Stream.GAUSSIAN, 9, fewer + more)
        np.testing.assert_array_equal(short, long[:fewer])

    def test_no_two_of_seed_stream_epoch_id_and_layout_share_words(self):
        drawn = []
        for seed, stream, epoch in itertools.product((0, 1), Stream, (0, 1)):
            drawn.append(random_bits.words_by_id(seed, stream, np.arange(5), epoch).ravel())
            drawn += [random_bits.words_in_depth(seed, stream, i, 20, epoch) for i in (0, 1, 2**63)]
        drawn = np.concatenate(drawn)
        self.assertLen(np.unique(drawn), len(drawn))


class UniformTest(absltest.TestCase):
    def test_golden(self):
        words = random_bits.words_by_id(0, Stream.LABEL, np.arange(5))[:, 0]
        expected = [0xD07EB80C9FFC0C00 / 2**64, 0.81969941, 0.84191611, 0.97611872, 0.68527277]
        np.testing.assert_allclose(random_bits.uniform(words), expected, rtol=1e-7)

    def test_from_zero_to_just_below_one(self):
        extremes = np.array([0, 2**11 - 1, 2**11, WORDS], np.uint64)
        np.testing.assert_array_equal(random_bits.uniform(extremes), [0, 0, 2.0**-53, 1 - 2.0**-53])

    def test_uniform(self):
        numbers = random_bits.uniform(random_bits.words_by_id(0, Stream.CORRUPTED, np.arange(25_000)).ravel())
        self.assertEqual(numbers.dtype, np.float64)
        counts = np.histogram(numbers, bins=100, range=(0, 1))[0]
        self.assertEqual(counts.sum(), 100_000)
        self.assertLess(chi_square(counts), 99 + 5 * np.sqrt(2 * 99))


class IntegersTest(parameterized.TestCase):
    def test_golden(self):
        words = random_bits.words_by_id(0, Stream.LABEL, np.arange(10))[:, 0]
        self.assertEqual(random_bits.integers(words, 10).tolist(), [8, 8, 8, 9, 6, 7, 0, 7, 9, 6])

    @parameterized.parameters(1, 2, 5, 10, 1000, 2**31)
    def test_range(self, bound):
        drawn = random_bits.integers(np.array([0, WORDS], np.uint64), bound)
        self.assertEqual(drawn.dtype, np.int64)
        self.assertEqual(drawn.tolist(), [0, bound - 1])

    @parameterized.parameters(2, 3, 5, 10, 100)
    def test_uniform(self, bound):
        words = random_bits.words_by_id(0, Stream.LABEL, np.arange(25_000)).ravel()
        counts = np.bincount(random_bits.integers(words, bound), minlength=bound)
        self.assertLess(chi_square(counts), bound - 1 + 5 * np.sqrt(2 * (bound - 1)))


class PermutationTest(parameterized.TestCase):
    @parameterized.parameters(
        (Stream.SHARED_PERMUTATION, 0, 0, [9, 5, 2, 0, 8, 3, 4, 6, 1, 7]),
        (Stream.EPOCH_ORDER, 0, 1, [9, 7, 8, 0, 1, 6, 4, 2, 3, 5]),
        (Stream.OWN_PERMUTATION, 2**63, 0, [3, 0, 8, 1, 2, 4, 7, 5, 6, 9]),
    )
    def test_golden(self, stream, example_id, epoch, expected):
        self.assertEqual(random_bits.permutation(0, stream, example_id, 10, epoch).tolist(), expected)

    def test_golden_of_a_whole_epoch(self):
        order = random_bits.permutation(0, Stream.EPOCH_ORDER, 0, 50_000, 1)
        self.assertEqual(digest(order), "b13364a0aeb58cfd")

    @settings(deadline=None, max_examples=30)
    @given(seed=st.integers(0, 2**32 - 1), example_id=st.integers(0, 2**64 - 1), size=st.integers(0, 200))
    def test_each_position_once(self, seed, example_id, size):
        order = random_bits.permutation(seed, Stream.OWN_PERMUTATION, example_id, size)
        np.testing.assert_array_equal(np.sort(order), np.arange(size))

    def test_all_orders_of_three_are_equally_likely(self):
        orders = [tuple(random_bits.permutation(0, Stream.OWN_PERMUTATION, i, 3)) for i in range(3000)]
        counts = [orders.count(order) for order in itertools.permutations(range(3))]
        self.assertLess(chi_square(counts), 5 + 5 * np.sqrt(10))

    def test_every_element_comes_everywhere_equally_often(self):
        orders = np.array([random_bits.permutation(0, Stream.EPOCH_ORDER, 0, 16, e) for e in range(2000)])
        for element in (0, 7, 15):
            places = np.argmax(orders == element, axis=1)
            self.assertLess(chi_square(np.bincount(places, minlength=16)), 15 + 5 * np.sqrt(30))

    def test_consecutive_seeds_epochs_and_ids_are_not_correlated(self):
        size = 10_000
        first = random_bits.permutation(0, Stream.EPOCH_ORDER, 0, size)
        others = {
            "seed": random_bits.permutation(1, Stream.EPOCH_ORDER, 0, size),
            "epoch": random_bits.permutation(0, Stream.EPOCH_ORDER, 0, size, 1),
            "id": random_bits.permutation(0, Stream.EPOCH_ORDER, 1, size),
        }
        for name, other in others.items():
            with self.subTest(name):
                self.assertLess(abs(np.corrcoef(first, other)[0, 1]), 5 / np.sqrt(size))


class NormalTest(absltest.TestCase):
    def test_golden(self):
        drawn = random_bits.normal(0, Stream.GAUSSIAN, 3, 10_000)
        self.assertEqual(drawn.dtype, np.float32)
        np.testing.assert_allclose(drawn[:4], [-0.23313244, -1.0748879, 0.6468238, -0.09298109], rtol=1e-6)
        self.assertEqual(digest(drawn), "2058c19fa62ca6f2")

    def test_table_is_that_of_the_standard_normal(self):
        table = random_bits._normal_quantiles()
        self.assertEqual(digest(table), "1cfbba1e07e34386")
        self.assertLen(table, 2**16)
        np.testing.assert_array_equal(table, -table[::-1])
        self.assertTrue(np.all(np.diff(table) > 0))
        self.assertAlmostEqual(table.var(dtype=float), 1 - 2e-5, delta=2e-6)
        self.assertAlmostEqual(float(table[-1]), 4.3249, delta=1e-4)
        for row in (0, 100, 32_768, 60_000):
            quantile = statistics.NormalDist().cdf(float(table[row]))
            self.assertAlmostEqual(quantile, (row + 0.5) / 2**16, delta=1e-7)

    def test_table_does_not_depend_on_the_last_bits_of_logarithms(self):
        """Each quantile in float64 is far from the points where its rounding to float32 changes."""
        inverse = statistics.NormalDist().inv_cdf
        exact = np.array([inverse((k + 0.5) / 2**16) for k in range(2**15, 2**16)])
        rounded = exact.astype(np.float32)
        room = np.spacing(rounded).astype(float) / 2 - np.abs(exact - rounded)
        self.assertGreater((room / np.spacing(exact)).min(), 1000)

    def test_draws_have_mean_zero_variance_one_and_no_skew(self):
        drawn = np.stack([random_bits.normal(0, Stream.GAUSSIAN, i, 3072) for i in range(100)])
        error = 1 / np.sqrt(drawn.size)
        self.assertLess(abs(drawn.mean(dtype=float)), 4 * error)
        self.assertLess(abs(drawn.var(dtype=float) - 1), 4 * np.sqrt(2) * error)
        self.assertLess(abs((drawn.astype(float) ** 3).mean()), 4 * np.sqrt(15) * error)
        neighbours = np.corrcoef(drawn[:, :-1].ravel(), drawn[:, 1:].ravel())[0, 1]
        self.assertLess(abs(neighbours), 4 * error)

    def test_any_size_is_the_beginning_of_a_longer_one(self):
        long = random_bits.normal(0, Stream.GAUSSIAN, 3, 20)
        for size in range(20):
            np.testing.assert_array_equal(random_bits.normal(0, Stream.GAUSSIAN, 3, size), long[:size])


if __name__ == "__main__":
    absltest.main()
