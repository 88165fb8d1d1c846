import numpy as np
from absl.testing import absltest, parameterized
from hypothesis import given, settings
from hypothesis import strategies as st

from rethink_keras.data.randomization import (
    LABEL_RANDOMIZATIONS,
    DrawnLabels,
    LabelRandomization,
    Randomization,
)
from rethink_keras.errors import UserError
from tests.data.randomization.helpers import CLASSES, COUNT, MANY, TRUE_LABELS, digest, labels


class ZeroLabels(LabelRandomization):
    """All labels become class 0, from an id on."""

    takes_corruption = True
    probability = 1.0

    def draw(self, ids, num_classes, *, seed, is_test):
        return DrawnLabels(ids >= COUNT * (1 - self.corruption), np.zeros(len(ids), np.int64))

    def describe(self, name):
        return f"{self.corruption:.0%} {name}"


class RegistryTest(absltest.TestCase):
    def test_a_registered_kind_is_applied(self):
        LABEL_RANDOMIZATIONS.register("zeros")(ZeroLabels)
        how = Randomization(labels="zeros", corruption=0.5, seed=0)
        got = how.randomize_labels(TRUE_LABELS, MANY, CLASSES)
        np.testing.assert_array_equal(got.corrupted, MANY >= COUNT / 2)
        np.testing.assert_array_equal(got.labels, np.where(got.corrupted, 0, TRUE_LABELS))
        self.assertTrue(how.requested)
        self.assertEqual(how.describe(), "50% zeros")
        other = Randomization(labels="zeros", corruption=0.6, seed=0)
        self.assertNotEqual(how.fingerprint(CLASSES), other.fingerprint(CLASSES))
        with self.assertRaisesRegex(UserError, "'zeros'.*randomization.corruption"):
            Randomization(labels="zeros")

    def test_a_kind_that_draws_other_labels_than_there_are(self):
        @LABEL_RANDOMIZATIONS.register("one_too_high")
        class OneTooHigh(ZeroLabels):
            def draw(self, ids, num_classes, *, seed, is_test):
                return DrawnLabels(np.ones(len(ids), bool), np.full(len(ids), num_classes))

        how = Randomization(labels="one_too_high", corruption=1, seed=0)
        with self.assertRaisesRegex(ValueError, "OneTooHigh.*10 classes"):
            how.randomize_labels(TRUE_LABELS, MANY, CLASSES)

    def test_a_kind_that_is_registered_nowhere(self):
        with self.assertRaisesRegex(UserError, "randomization.labels is 'ones'.*'random'"):
            Randomization(labels="ones")

    def test_what_a_kind_must_define(self):
        class NoDraws(LabelRandomization):
            probability = 1.0

        with self.assertRaisesRegex(TypeError, "NoDraws does not define draw"):
            LABEL_RANDOMIZATIONS.register("no_draws")(NoDraws)


class LabelsTest(parameterized.TestCase):
    def test_golden_random_labels(self):
        how = Randomization(labels="random", seed=0)
        got = how.randomize_labels(TRUE_LABELS, MANY, CLASSES)
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

    def test_golden_test_labels_where_requested(self):
        how = Randomization(labels="random", randomize_test_labels=True, seed=0)
        got = how.randomize_labels(TRUE_LABELS, MANY, CLASSES, is_test=True)
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
        random = how.randomize_labels(TRUE_LABELS, MANY, CLASSES)
        np.testing.assert_array_equal(random.labels, labels(1.0).labels)

    @parameterized.parameters({}, {"labels": "partially_corrupted", "corruption": 0.0}, {"pixels": "random"})
    def test_labels_left_alone(self, **how):
        got = Randomization(**how, seed=0).randomize_labels(TRUE_LABELS, MANY, CLASSES)
        np.testing.assert_array_equal(got.labels, TRUE_LABELS)
        self.assertFalse(got.corrupted.any())

    def test_test_labels_are_unchanged_unless_requested(self):
        got = labels(1.0, is_test=True)
        np.testing.assert_array_equal(got.labels, TRUE_LABELS)
        self.assertFalse(got.corrupted.any())
        requested = labels(1.0, is_test=True, randomize_test_labels=True)
        self.assertTrue(requested.corrupted.all())

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
        got = how.randomize_labels(np.zeros(COUNT, int), MANY, classes).labels
        self.assertEqual((got.min(), got.max()), (0, classes - 1))


if __name__ == "__main__":
    absltest.main()
