import numpy as np
from absl.testing import absltest, parameterized

from rethink_keras.workdir.columns import COLUMNS, check_row, column_of


class ColumnsTest(parameterized.TestCase):
    @parameterized.parameters(
        ("epoch", "12", 12),
        ("train_loss", "0.30000000000000004", 0.1 + 0.2),
        ("train_accuracy", "1.0", 1.0),
        ("train_metrics", "fixed_weights\x1b", "fixed_weights\\x1b"),
        ("weight_norm", "2.5", 2.5),
        ("weight_norm", "large", "large"),
        ("weight_norm", "nan", "nan"),
        ("weight_norm", "1e308", "1e308"),
    )
    def test_a_cell_has_the_kind_of_its_column(self, heading, cell, value):
        self.assertEqual(repr(column_of(heading).parse(cell)), repr(value))

    @parameterized.parameters(
        *(("epoch", cell) for cell in ("", "1.5", "-1", "nan", "1e308", "9" * 400, "one")),
        *(("train_accuracy", cell) for cell in ("", "-0.1", "1.1", "nan", "1e308")),
        *(("train_loss", cell) for cell in ("", "nan", "inf", "1e40", "low")),
    )
    def test_a_value_of_another_kind(self, heading, cell):
        with self.assertRaises(ValueError):
            column_of(heading).parse(cell)

    def test_names_are_unique(self):
        names = [column.name for column in COLUMNS]
        self.assertEqual(sorted(set(names)), sorted(names))

    def test_unknown_headings_are_printable(self):
        self.assertEqual(column_of("a\x1b").name, "a\\x1b")

    @parameterized.parameters([[1.0]], [np.float32(1)], [np.zeros(2)])
    def test_a_value_that_no_cell_can_contain_names_its_column(self, value):
        check_row({"epoch": 1, "note": "text", "empty": None})
        with self.assertRaisesRegex(TypeError, "weight_norm"):
            check_row({"epoch": 1, "weight_norm": value})


if __name__ == "__main__":
    absltest.main()
