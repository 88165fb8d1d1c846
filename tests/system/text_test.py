import re

import hypothesis
from absl.testing import absltest
from hypothesis import strategies as st

from rethink_keras.system import text

ANY = st.text(st.characters(exclude_categories=()))  # surrogates, too


class TextTest(absltest.TestCase):
    @hypothesis.given(ANY)
    def test_printable(self, value):
        shown = text.printable(value)
        self.assertTrue(shown.isprintable())
        shown.encode()
        if value.isprintable():
            self.assertEqual(shown, value)

    @hypothesis.given(ANY)
    def test_a_fence_is_longer_than_what_stands_within(self, value):
        self.assertNotIn(text.fence(value), value)

    @hypothesis.given(ANY)
    def test_no_mark_of_markdown_is_left_alone(self, value):
        shown = text.markdown(value)
        self.assertNotIn("\n", shown)
        self.assertIsNone(re.search(r"[`*\[\]<>|~&]", re.sub(r"\\.", "", shown)))

    def test_names_stay_as_they_are(self):
        self.assertEqual(text.markdown("mlp_1x512/random_labels"), "mlp_1x512/random_labels")
        self.assertEqual(text.markdown("_a_ | [b](c)"), r"\_a\_ \| \[b\](c)")

    def test_labels_are_cut(self):
        self.assertEqual(text.label("a" * 80), "a" * 80)
        self.assertLen(text.label("a" * 81), 80)
        self.assertEndsWith(text.shortened(10**400, 20), "…")
        self.assertIn("digits", text.shortened(10**5_000))


if __name__ == "__main__":
    absltest.main()
