from absl.testing import absltest

from rethink_keras.reports.tables import NONE
from tests.reports import made_sweeps as made


class Table4Test(made.FolderTestCase):
    def test_augmented_rows_of_table_4_are_running_accuracies(self):
        plans = [
            made.plan("inception", f"random_labels+{kind}")
            for kind in ("weight_decay", "crop", "flip_rotate")
        ]
        folder = made.sweep(self.folder / "table4", "table4", plans)
        for plan in plans:
            made.run(folder, plan, made.rows(4, (0.999, 0.1)))
        table = self.table()
        ours = [made.row_of(table, "inception", plan.variant).values[0].text("ours") for plan in plans]
        self.assertEqual(ours, ["99.90", "98.90", "98.90"])
        alexnet = made.row_of(table, "alexnet", "random_labels+weight_decay").values[0]
        self.assertEqual((alexnet.text("paper"), alexnet.text("within")), ("failed to converge", NONE))


if __name__ == "__main__":
    absltest.main()
