import json
from pathlib import Path

import numpy as np
from absl.testing import absltest

from rethink_keras.commands import expressivity
from rethink_keras.theory.expressivity_table import random_points
from tests.commands.in_process import main
from tests.data.helpers import digits_elsewhere

FLAGS = [
    "--gin_param=dataset.name = 'digits'",
    "--gin_param=dataset.train_examples = 300",
    "--gin_param=dataset.test_examples = 100",
    "--gin_param=preprocessing.normalization = 'none'",
]


class ExpressivityTableTest(absltest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        digits_elsewhere(cls)

    def table(self, *bindings):
        """Runs the command; returns exit code, both outputs and the folder."""
        folder = Path(self.create_tempdir().full_path)
        more = [f"--gin_param=expressivity_table.{binding}" for binding in bindings]
        return *main(expressivity, *FLAGS, *more, f"--workdir={folder}"), folder

    def test_fits_every_kind_of_points_at_every_size_and_depth(self):
        code, out, err, folder = self.table("sizes = (50, 300)", "depths = (2, 4)")
        self.assertEqual((code, err), (0, ""))
        self.assertIn("images, n = 300, d = 64, depth 4: 664 weights", out)
        rows = json.loads((folder / "summary.json").read_text())["rows"]
        self.assertLen(rows, 8)
        for row in rows:
            self.assertLess(max(row["array_error"], row["keras_error"]), 1e-6)
            self.assertEqual(row["weights"], 2 * row["examples"] + 64)

    def test_bad_configurations(self):
        for binding, message in (
            ("sizes = (0,)", "expressivity_table.sizes is 0"),
            ("sizes = (301,)", "from 1 to 300"),
            ("points = ('pictures',)", "expressivity_table.points is 'pictures'"),
            ("depths = (1,)", "expressivity_table.depths is 1"),
            ("depths = ()", "need an entry each"),
        ):
            with self.subTest(binding):
                code, _, err, _ = self.table(binding)
                self.assertEqual(code, 2)
                self.assertIn(message, err)

    def test_a_random_point_does_not_depend_on_their_number(self):
        np.testing.assert_array_equal(random_points(3, 2, 5), random_points(3, 9, 5)[:2])


if __name__ == "__main__":
    absltest.main()
