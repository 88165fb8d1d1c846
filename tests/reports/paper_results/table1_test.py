from absl.testing import absltest

from tests.reports import made_sweeps as made


class Table1Test(made.FolderTestCase):
    def test_best_on_the_way_is_not_the_final_one(self):
        plan = made.plan("mlp_1x512", "plain")
        folder = made.sweep(self.folder / "a", "table1", [plan])
        made.run(folder, plan, made.rows(4, lambda epoch: (1.0, 0.6 if epoch == 2 else 0.5)))
        row = made.row_of(self.table(), "mlp_1x512", "plain")
        self.assertEqual([value.text("ours") for value in row.values], ["100.00", "50.00", "60.00"])


if __name__ == "__main__":
    absltest.main()
