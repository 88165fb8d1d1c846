from absl.testing import absltest

from rethink_keras.reports.plots import OURS
from rethink_keras.reports.tables import NONE
from tests.reports import made_sweeps as made


class Figure1bAnd1cTest(made.FolderTestCase):
    def test_fitting_times_are_relative_to_no_corruption(self):
        fits = {
            ("0.0", 0): 10,
            ("0.0", 1): 20,
            ("0.5", 0): 30,
            ("0.5", 1): 30,
            ("1.0", 0): None,
            ("1.0", 1): 40,
        }
        plans = {key: made.plan("mlp_1x512", f"corruption_{key[0]}", key[1], 50) for key in fits}
        folder = made.sweep(self.folder / "figure", "figure1b_1c", list(plans.values()))
        for key, fit in fits.items():
            rows = made.rows(50, lambda epoch, fit=fit: (1.0, 0.4 if epoch == fit else 0.2), fit=fit)
            made.run(folder, plans[key], rows)
        table = self.table()
        self.assertEqual(
            [made.texts(made.row_of(table, "mlp_1x512", f"corruption_{p}")) for p in ("0.0", "0.5", "1.0")],
            [
                [
                    ["28.0", "15.0 ± 7.1", "−13.0", NONE],
                    ["1.00", "1.00 ± 0.47", "0.00", NONE],
                    ["49.51", "60.00 ± 0.00", "+10.49", "no"],
                ],
                [
                    ["50.0", "30.0 ± 0.0", "−20.0", NONE],
                    ["1.79", "2.00 ± 0.00", "+0.21", NONE],
                    ["79.61", "60.00 ± 0.00", "−19.61", "no"],
                ],
                [
                    ["55.0", "not fitted by 1 of 2", NONE, NONE],
                    ["1.96", "not fitted by 1 of 2", NONE, NONE],
                    ["89.82", "not fitted by 1 of 2", NONE, NONE],
                ],
            ],
        )

    def test_levels_that_are_not_fitted_are_not_drawn(self):
        planned = [
            made.plan("mlp_1x512", f"corruption_{level}", 0, 9) for level in ("0.0", "0.5", "1.0", "x")
        ]
        folder = made.sweep(self.folder / "a", "figure1b_1c", planned)
        for plan, fit in zip(planned, (2, 5, None, 4), strict=True):
            made.run(folder, plan, made.rows(9, (1.0, 0.3), fit=fit))
        times, errors = self.plots()
        ours = [next(s for s in plot.series if s.kind == OURS) for plot in (times, errors)]
        self.assertEqual([(s.x, s.y) for s in ours], [((0.0, 0.5), (1.0, 2.5)), ((0.0, 0.5), (70.0, 70.0))])


if __name__ == "__main__":
    absltest.main()
