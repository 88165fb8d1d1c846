import dataclasses
import hashlib

import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from rethink_keras.data import randomization as randomizing
from rethink_keras.data.randomization import PixelStatistics, Randomization
from rethink_keras.errors import UserError

CIFAR = PixelStatistics(np.array([125.3, 123.0, 113.9]), np.array([63.0, 62.1, 66.7]))
COUNT = 50_000
MANY = np.arange(COUNT)
CLASSES = 10
TRUE_LABELS = MANY % CLASSES
PIXELS = ("shuffled", "random", "gaussian")


def numbered_images(count):
    """uint8 images of 8 x 8 pixels: channel 0 is the position, the others follow from it and the image."""
    position = np.arange(64).reshape(8, 8)
    images = [np.stack([position, position + 64 + k, position + 128 + k], axis=-1) for k in range(count)]
    return np.array(images, np.uint8)


IMAGES = numbered_images(60)
IDS = np.arange(len(IMAGES))


def labels(corruption, seed=0, ids=MANY, is_test=False, **more):
    how = Randomization(labels="partially_corrupted", corruption=corruption, seed=seed, **more)
    return randomizing.randomize_labels(how, TRUE_LABELS[ids], ids, CLASSES, is_test=is_test)


def pixels(kind, rows=IDS, is_test=False, seed=0, **more):
    how = Randomization(pixels=kind, seed=seed, **more)
    return randomizing.randomize_pixels(how, IMAGES[rows], IDS[rows], CIFAR, is_test=is_test)


def digest(array):
    little_endian = array.astype(array.dtype.newbyteorder("<"))
    return hashlib.sha256(little_endian.tobytes()).hexdigest()[:16]


class LabelsTest(parameterized.TestCase):
    def test_golden_random_labels(self):
        how = Randomization(labels="random", seed=0)
        got = randomizing.randomize_labels(how, TRUE_LABELS, MANY, CLASSES)
        first = [8, 8, 8, 9, 6, 7, 0, 7, 9, 6, 0, 9, 3, 0, 7, 2, 7, 7, 1, 4]
        self.assertEqual(got.labels[:20].tolist(), first)
        self.assertEqual(got.labels.dtype, np.int64)
        self.assertEqual(digest(got.labels), "36e2cfd4f1784088")
        self.assertTrue(got.corrupted.all())

    def test_golden_partially_corrupted_labels(self):
        got = labels(0.5)
        first = [0, 1, 2, 9, 6, 5, 6, 7, 9, 9, 0, 9, 3, 3, 7, 5, 6, 7, 8, 4]
        self.assertEqual(got.labels[:20].tolist(), first)
        self.assertEqual(digest(got.labels), "1bcd4c9dd5bde9ad")
        self.assertEqual(digest(got.corrupted), "8d286e512eef49d8")

    def test_golden_test_labels_where_asked_for(self):
        how = Randomization(labels="random", randomize_test_labels=True, seed=0)
        got = randomizing.randomize_labels(how, TRUE_LABELS, MANY, CLASSES, is_test=True)
        self.assertEqual(got.labels[:10].tolist(), [3, 3, 1, 6, 1, 1, 5, 6, 0, 6])
        self.assertEqual(digest(got.labels), "5b37f7d5defdd7d7")
        self.assertEqual(digest(labels(0.5, is_test=True, randomize_test_labels=True)[1]), "46773dd9dd39279b")

    @parameterized.parameters(0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
    def test_share_corrupted_is_p_and_share_changed_is_nine_tenths_of_it(self, p):
        got = labels(p)
        changed = got.labels != TRUE_LABELS
        for share, expected in ((got.corrupted, p), (changed, p * (1 - 1 / CLASSES))):
            error = np.sqrt(expected * (1 - expected) / COUNT)
            self.assertLessEqual(abs(share.mean() - expected), 3 * error)
        self.assertFalse(np.any(changed & ~got.corrupted))

    def test_new_labels_are_uniform_and_say_nothing_of_the_old_ones(self):
        got = labels(1.0)
        table = np.histogram2d(TRUE_LABELS, got.labels, bins=CLASSES)[0]
        expected = COUNT / CLASSES**2
        self.assertLess(np.sum((table - expected) ** 2 / expected), 99 + 5 * np.sqrt(2 * 99))

    def test_whether_a_label_is_corrupted_says_nothing_of_the_new_one(self):
        drawn = labels(1.0).labels[labels(0.5).corrupted]
        expected = len(drawn) / CLASSES
        counts = np.bincount(drawn, minlength=CLASSES)
        self.assertLess(np.sum((counts - expected) ** 2 / expected), 9 + 5 * np.sqrt(18))

    @settings(deadline=None, max_examples=30)
    @given(p=st.floats(0, 1), q=st.floats(0, 1), seed=st.integers(0, 2**32 - 1))
    def test_nested_in_p(self, p, q, seed):
        p, q = sorted((p, q))
        ids = MANY[:500]
        less, more = labels(p, seed, ids), labels(q, seed, ids)
        self.assertFalse(np.any(less.corrupted & ~more.corrupted))
        np.testing.assert_array_equal(less.labels[less.corrupted], more.labels[less.corrupted])
        np.testing.assert_array_equal(less.labels[~less.corrupted], TRUE_LABELS[ids][~less.corrupted])

    def test_random_labels_are_those_of_p_one(self):
        how = Randomization(labels="random", seed=0)
        random = randomizing.randomize_labels(how, TRUE_LABELS, MANY, CLASSES)
        np.testing.assert_array_equal(random.labels, labels(1.0).labels)

    @parameterized.parameters({}, {"labels": "partially_corrupted", "corruption": 0.0}, {"pixels": "random"})
    def test_labels_left_alone(self, **how):
        got = randomizing.randomize_labels(Randomization(**how, seed=0), TRUE_LABELS, MANY, CLASSES)
        np.testing.assert_array_equal(got.labels, TRUE_LABELS)
        self.assertFalse(got.corrupted.any())

    def test_test_labels_are_left_alone_unless_asked_for(self):
        got = labels(1.0, is_test=True)
        np.testing.assert_array_equal(got.labels, TRUE_LABELS)
        self.assertFalse(got.corrupted.any())
        asked = labels(1.0, is_test=True, randomize_test_labels=True)
        self.assertTrue(asked.corrupted.all())

    def test_drawn_test_labels_are_others_than_those_of_the_training_set(self):
        train, test = (labels(0.5, is_test=t, randomize_test_labels=True) for t in (False, True))
        for a, b, by_chance in ((train.corrupted, test.corrupted, 0.5), (train.labels, test.labels, 0.325)):
            self.assertAlmostEqual(np.mean(a == b), by_chance, delta=0.01)

    def test_seeds_draw_others(self):
        self.assertAlmostEqual(np.mean(labels(1.0, 0).labels == labels(1.0, 1).labels), 0.1, delta=0.01)

    def test_the_input_is_not_changed(self):
        before = TRUE_LABELS.copy()
        labels(1.0)
        np.testing.assert_array_equal(TRUE_LABELS, before)

    @parameterized.parameters(2, 3, 100, 1000)
    def test_number_of_classes(self, classes):
        how = Randomization(labels="random", seed=0)
        got = randomizing.randomize_labels(how, np.zeros(COUNT, int), MANY, classes).labels
        self.assertEqual((got.min(), got.max()), (0, classes - 1))


class PixelsTest(parameterized.TestCase):
    @parameterized.parameters(
        ("shuffled", "d63d7a86f2cb54ba", "d63d7a86f2cb54ba"),
        ("random", "a1a78763c8a0accc", "9163e3c5db0c8c69"),
        ("gaussian", "bb8707f5bce76697", "f01328b92625ea94"),
    )
    def test_golden(self, kind, train, test):
        self.assertEqual(digest(pixels(kind)), train)
        self.assertEqual(digest(pixels(kind, is_test=True)), test)

    def test_golden_permutations(self):
        how = Randomization(pixels="random", seed=0)
        shared = randomizing.shared_permutation(how, 784)
        self.assertEqual(shared[:8].tolist(), [375, 744, 613, 454, 74, 197, 627, 456])
        own = randomizing.own_permutations(how, np.array([3]), 784)
        self.assertEqual(own[0, :8].tolist(), [765, 334, 264, 188, 406, 54, 46, 106])
        own = randomizing.own_permutations(how, np.array([3]), 784, is_test=True)
        self.assertEqual(own[0, :8].tolist(), [183, 271, 93, 783, 158, 304, 376, 121])

    @parameterized.parameters("shuffled", "random")
    def test_triples_stay_together_and_each_comes_once(self, kind):
        got = pixels(kind)
        self.assertEqual(got.dtype, np.uint8)
        for image, original in zip(got, IMAGES, strict=True):
            triples, originals = image.reshape(-1, 3), original.reshape(-1, 3)
            self.assertFalse(np.array_equal(triples, originals))
            # Channel 0 names the position that a pixel comes from; the others must have come along.
            np.testing.assert_array_equal(triples, originals[triples[:, 0]])
            np.testing.assert_array_equal(np.sort(triples[:, 0]), np.arange(64))

    def test_shuffled_is_one_permutation_for_all_images_of_train_and_test(self):
        orders = np.concatenate([pixels("shuffled")[..., 0], pixels("shuffled", is_test=True)[..., 0]])
        self.assertEqual((orders == orders[0]).mean(), 1)
        how = Randomization(pixels="shuffled", seed=0)
        np.testing.assert_array_equal(orders[0].ravel(), randomizing.shared_permutation(how, 64))

    def test_random_is_another_permutation_for_each_image_of_train_and_test(self):
        orders = np.concatenate([pixels("random")[..., 0], pixels("random", is_test=True)[..., 0]])
        orders = orders.reshape(len(orders), -1)
        self.assertLen(np.unique(orders, axis=0), len(orders))
        # Not shifted or nearly equal ones either: a position comes from everywhere, correlations are chance.
        correlations = np.corrcoef(orders)[np.triu_indices(len(orders), 1)]
        self.assertLess(np.abs(correlations).max(), 6 / np.sqrt(64))
        self.assertLess(abs(correlations.mean()), 0.01)

    def test_gaussian_matches_the_mean_and_variance_of_each_channel(self):
        got = pixels("gaussian")
        self.assertEqual(got.dtype, np.float32)
        values = got.astype(np.float64).reshape(-1, 3)
        error = CIFAR.std / np.sqrt(len(values))
        np.testing.assert_array_less(np.abs(values.mean(axis=0) - CIFAR.mean), 4 * error)
        np.testing.assert_array_less(np.abs(values.std(axis=0) - CIFAR.std), 4 * error / np.sqrt(2))
        # Clipped to 0..255 the deviation would fall short by 4%; unclipped, 2.4% lie below 0 in channel 0.
        outside = np.mean((values < 0) | (values > 255))
        self.assertBetween(outside, 0.03, 0.06)
        off_diagonal = np.corrcoef(values.T)[np.triu_indices(3, 1)]
        self.assertLess(np.abs(off_diagonal).max(), 4 / np.sqrt(len(values)))

    def test_gaussian_forgets_the_image_and_differs_by_image_and_set(self):
        how = Randomization(pixels="gaussian", seed=0)
        black = randomizing.randomize_pixels(how, np.zeros_like(IMAGES), IDS, CIFAR)
        np.testing.assert_array_equal(black, pixels("gaussian"))
        noise = np.concatenate([black, pixels("gaussian", is_test=True)]).reshape(2 * len(IDS), -1)
        correlations = np.corrcoef(noise)[np.triu_indices(len(noise), 1)]
        self.assertLess(np.abs(correlations).max(), 6 / np.sqrt(noise.shape[1]))

    def test_gaussian_needs_statistics(self):
        how = Randomization(pixels="gaussian", seed=0)
        with self.assertRaises(ValueError):
            randomizing.randomize_pixels(how, IMAGES, IDS, None)

    @parameterized.product(kind=PIXELS, is_test=(False, True))
    def test_fraction(self, kind, is_test):
        how = Randomization(pixels=kind, fraction=0.3, seed=0)
        share = randomizing.pixels_affected(how, MANY, is_test=is_test)
        self.assertLess(abs(share.mean() - 0.3), 3 * np.sqrt(0.3 * 0.7 / COUNT))
        affected = randomizing.pixels_affected(how, IDS, is_test=is_test)
        some = pixels(kind, is_test=is_test, fraction=0.3)
        np.testing.assert_array_equal(some[affected], pixels(kind, is_test=is_test)[affected])
        np.testing.assert_array_equal(some[~affected], IMAGES[~affected])

    def test_fraction_zero_and_one(self):
        np.testing.assert_array_equal(pixels("random", fraction=0.0), IMAGES)
        self.assertTrue(randomizing.pixels_affected(Randomization(pixels="random", seed=0), MANY).all())
        self.assertFalse(randomizing.pixels_affected(Randomization(seed=0), MANY).any())

    @parameterized.parameters(*PIXELS)
    def test_the_input_is_not_changed(self, kind):
        before = IMAGES.copy()
        pixels(kind)
        np.testing.assert_array_equal(IMAGES, before)

    @parameterized.parameters(*PIXELS)
    def test_seeds_draw_others(self, kind):
        self.assertFalse(np.array_equal(pixels(kind, seed=0), pixels(kind, seed=1)))

    def test_images_that_are_not_square_and_have_one_channel(self):
        images = np.arange(2 * 3 * 5, dtype=np.uint8).reshape(2, 3, 5, 1)
        how = Randomization(pixels="shuffled", seed=0)
        got = randomizing.randomize_pixels(how, images, np.arange(2), None)
        order = randomizing.shared_permutation(how, 15)
        np.testing.assert_array_equal(got.reshape(2, 15), images.reshape(2, 15)[:, order])


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
            randomizing.randomize_labels(Randomization(labels="random"), TRUE_LABELS, MANY, CLASSES)

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

    def fingerprint(self, how, num_classes=CLASSES):
        return randomizing.fingerprint(how, num_classes)

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
        self.assertEqual(self.fingerprint(Randomization(**one)), self.fingerprint(Randomization(**other)))

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
        found = {self.fingerprint(dataclasses.replace(self.HALF, **change)) for change in changes}
        found.add(self.fingerprint(self.HALF, num_classes=100))
        self.assertLen(found, len(changes) + 1)
        self.assertTrue(all(len(f) == 64 for f in found))


if __name__ == "__main__":
    absltest.main()
