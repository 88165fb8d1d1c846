from absl.testing import absltest

from rethink_keras.reports.measures import EPOCHS_TO_FIT, TEST_ACCURACY
from rethink_keras.reports.tables import KINDS, Value, sized
from tests.reports import made_sweeps as made


class TablesTest(made.FolderTestCase):
    def test_texts_of_a_value(self):
        for value, texts in (
            (
                Value(TEST_ACCURACY, 50.0, "", 48.499, 1.0, "", True),
                ["50.00", "48.50 ± 1.00", "−1.50", "yes"],
            ),
            (Value(TEST_ACCURACY, 50.0, "", 50.001, None, "", True), ["50.00", "50.00", "0.00", "yes"]),
            (Value(TEST_ACCURACY, 50.0, "", 52.0, None, "", False), ["50.00", "52.00", "–", "–"]),
            (Value(EPOCHS_TO_FIT, 9.0, "", 12.0, None, "", True), ["9.0", "12.0", "+3.0", "–"]),
            (
                Value(TEST_ACCURACY, None, "diverged", None, None, "failed", True),
                ["diverged", "failed", "–", "–"],
            ),
        ):
            with self.subTest(texts):
                self.assertEqual([value.text(kind) for kind in KINDS], texts)

    def test_warnings_of_rows_are_numbered(self):
        made.all_kinds(self.folder)
        table, _ = self.tables()["table1"]
        row = made.row_of(table, "mlp_1x512", "random_labels")
        self.assertEqual(table.marks(row), [1])
        [(number, of, warning)] = table.notes()
        self.assertEqual((number, of), (1, row))
        self.assertIn("code version", warning)

    def test_columns_are_found_by_their_quantity(self):
        self.one_cell("table1", "mlp_1x512", "plain", (0.5,))
        self.assertEqual(self.table().column("test_accuracy"), 1)

    def test_small_versions_are_named(self):
        self.assertEqual(sized("Table 1", True), "Table 1")
        self.assertEqual(sized("Table 1", False), "Table 1, small version")


if __name__ == "__main__":
    absltest.main()
