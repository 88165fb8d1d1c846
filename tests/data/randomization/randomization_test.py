import dataclasses

import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from rethink_keras.data.randomization import Randomization
from rethink_keras.errors import UserError
from tests.data.randomization.helpers import CLASSES, IDS, MANY, PIXELS, TRUE_LABELS, labels, pixels


class AnyExampleAloneTest(parameterized.TestCase):
    """What an example gets depends on the seed and its id: on no order, shard, batch or neighbour."""

    @settings(deadline=None, max_examples=40)
    @given(
        kind=st.sampled_from(PIXELS),
        rows=st.lists(st.sampled_from(IDS.tolist()), max_size=20),
        is_test=st.booleans(),
        fraction=st.sampled_from([0.5, 1.0]),
    )
    def test_any_subset_in_any_order(self, kind, rows, is_test, fraction):
        rows = np.array(rows, int)
        full = pixels(kind, is_test=is_test, fraction=fraction)
        np.testing.assert_array_equal(pixels(kind, rows, is_test, fraction=fraction), full[rows])
        how = {"is_test": is_test, "randomize_test_labels": True}
        for some, every in zip(labels(0.5, ids=rows, **how), labels(0.5, **how), strict=True):
            np.testing.assert_array_equal(some, every[rows])

    @parameterized.parameters(*PIXELS)
    def test_one_against_four_shards(self, kind):
        shards = [IDS[shard::4] for shard in range(4)]
        order = np.argsort(np.concatenate(shards))
        together = np.concatenate([pixels(kind, shard) for shard in shards])[order]
        np.testing.assert_array_equal(together, pixels(kind))
        drawn = np.concatenate([labels(0.5, ids=shard).labels for shard in shards])[order]
        np.testing.assert_array_equal(drawn, labels(0.5).labels[IDS])

    @parameterized.parameters(*PIXELS)
    def test_batch_sizes(self, kind):
        for size in (7, 32):
            batches = [IDS[start : start + size] for start in range(0, len(IDS), size)]
            together = np.concatenate([pixels(kind, batch) for batch in batches])
            np.testing.assert_array_equal(together, pixels(kind))
            drawn = np.concatenate([labels(0.5, ids=batch).labels for batch in batches])
            np.testing.assert_array_equal(drawn, labels(0.5).labels[IDS])

    def test_no_examples(self):
        none = np.zeros(0, int)
        self.assertLen(labels(0.5, ids=none).labels, 0)
        for kind in PIXELS:
            self.assertEqual(pixels(kind, none).shape, (0, 8, 8, 3))


class RandomizationTest(parameterized.TestCase):
    @parameterized.parameters(
        ({"labels": "partially_corrupted", "corruption": 1.5}, "corruption is 1.5.*between 0 and 1"),
        ({"labels": "partially_corrupted", "corruption": -0.1}, "corruption is -0.1"),
        ({"labels": "partially_corrupted", "corruption": float("nan")}, "corruption is nan"),
        ({"labels": "partially_corrupted", "corruption": True}, "corruption is True"),
        ({"labels": "partially_corrupted", "corruption": "0.5"}, "corruption is '0.5'"),
        ({"labels": "partially_corrupted"}, "without a probability"),
        ({"corruption": 0.5}, "labels is 'true'.*'partially_corrupted'"),
        ({"labels": "random", "corruption": 0.5}, "labels is 'random'"),
        ({"labels": "shuffled"}, "labels is 'shuffled'.*'partially_corrupted', 'random'"),
        ({"pixels": "noise"}, "pixels is 'noise'.*'gaussian'"),
        ({"permute": "never"}, "permute is 'never'"),
        ({"fraction": 1.1}, "fraction is 1.1"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**32}, "seed is 4294967296"),
        ({"seed": 1.0}, "seed is 1.0"),
        ({"seed": True}, "seed is True"),
    )
    def test_refused(self, how, message):
        with self.assertRaisesRegex(UserError, message):
            Randomization(**how)

    def test_seed(self):
        self.assertEqual(Randomization().with_seed(3).seed, 3)
        self.assertEqual(Randomization(seed=5).with_seed(3).seed, 5)
        self.assertEqual(Randomization(seed=0).with_seed(3).seed, 0)
        with self.assertRaises(UserError):
            Randomization().with_seed(-1)
        with self.assertRaises(ValueError):
            Randomization(labels="random").randomize_labels(TRUE_LABELS, MANY, CLASSES)

    def test_requested_and_in_words(self):
        for how, requested, words in (
            ({}, False, "true labels"),
            ({"labels": "random"}, True, "random labels"),
            ({"labels": "partially_corrupted", "corruption": 0}, True, "probability 0"),
            ({"labels": "partially_corrupted", "corruption": 0.25}, True, "probability 0.25"),
            ({"pixels": "shuffled"}, True, "true labels, shuffled pixels"),
            ({"pixels": "gaussian", "fraction": 0.5}, True, "gaussian pixels (50% of the images)"),
            ({"pixels": "gaussian", "fraction": 0}, True, "gaussian"),
            ({"randomize_test_labels": True}, False, "true labels"),
        ):
            with self.subTest(words):
                self.assertEqual(Randomization(**how).requested, requested)
                self.assertIn(words, Randomization(**how).describe())


class FingerprintTest(parameterized.TestCase):
    HALF = Randomization(labels="partially_corrupted", corruption=0.5, pixels="shuffled", seed=0)

    @parameterized.parameters(
        ({}, "5371eefea4ba678f"),
        ({"labels": "random"}, "3e6bf7b2ddda400f"),
        ({"labels": "partially_corrupted", "corruption": 0.5, "pixels": "shuffled"}, "2fb25ddb80f45859"),
        ({"pixels": "random", "fraction": 0.5}, "e4efbff72158522f"),
        ({"pixels": "gaussian"}, "fbd4cf84d45e4c26"),
        ({"pixels": "gaussian", "fraction": 0.0}, "2701513cca322ea1"),
        (
            {"labels": "random", "randomize_test_labels": True, "permute": "before_crop", "pixels": "random"},
            "1b7fba2bea729a4f",
        ),
    )
    def test_golden(self, how, fingerprint):
        self.assertEqual(Randomization(**how, seed=0).fingerprint(CLASSES)[:16], fingerprint)

    @parameterized.parameters(
        ({"seed": 0}, {"seed": 1}),
        ({"permute": "before_crop"}, {"permute": "before_crop", "fraction": 0.5}),
        ({"labels": "random"}, {"labels": "partially_corrupted", "corruption": 1.0}),
        ({"labels": "random"}, {"labels": "partially_corrupted", "corruption": 1}),
        ({"pixels": "random"}, {"pixels": "random", "fraction": 1}),
        ({}, {"pixels": "random", "fraction": 0.0}),
        ({}, {"randomize_test_labels": True}),
    )
    def test_equal_maps(self, one, other):
        one, other = ({"seed": 0, **how} for how in (one, other))
        self.assertEqual(
            Randomization(**one).fingerprint(CLASSES), Randomization(**other).fingerprint(CLASSES)
        )

    def test_different_maps(self):
        changes = [
            {},
            {"seed": 1},
            {"corruption": 0.501},
            {"corruption": 1.0},
            {"randomize_test_labels": True},
            {"pixels": "true"},
            {"pixels": "random"},
            {"pixels": "gaussian"},
            {"permute": "before_crop"},
            {"fraction": 0.999},
        ]
        found = {dataclasses.replace(self.HALF, **change).fingerprint(CLASSES) for change in changes}
        found.add(self.HALF.fingerprint(100))
        self.assertLen(found, len(changes) + 1)
        self.assertTrue(all(len(f) == 64 for f in found))


if __name__ == "__main__":
    absltest.main()
