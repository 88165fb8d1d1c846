import json

from absl.testing import absltest, parameterized

from rethink_keras.errors import UserError
from rethink_keras.reports.collect import collect
from tests.reports import made_sweeps as made

HEADINGS = "epoch,step,train_loss,train_accuracy,test_loss,test_accuracy,running_accuracy"
PLANS = [made.plan("mlp_1x512", "plain", seed) for seed in range(3)]


class CollectTest(made.FolderTestCase):
    def sweep(self):
        return made.sweep(self.folder / "table1", "table1", PLANS)

    def statuses(self):
        return [run.status for run in collect(self.folder).sweeps[0].runs]

    def test_runs_stand_as_they_are(self):
        folder = self.sweep()
        made.run(folder, PLANS[0], made.rows(4, (1.0, 0.5)))
        made.run(folder, PLANS[1], made.rows(2, (0.9, 0.5)), "interrupted")
        runs = collect(self.folder).sweeps[0].runs
        self.assertEqual([run.status for run in runs], ["done", "interrupted", "missing"])
        self.assertEqual(runs[1].progress(), "interrupted after 2 of 4 epochs")
        self.assertEqual(runs[0].rows[3]["test_accuracy"], 0.5)

    def test_a_failure_is_told_unless_the_run_is_done_after_all(self):
        folder = self.sweep()
        for plan, status in ((PLANS[0], "done"), (PLANS[1], "running")):
            place = made.run(folder, plan, made.rows(4, (1.0, 0.5)), status)
            (place / "failed.txt").write_text("Killed by signal 9.\n")
        (folder / PLANS[2].name).mkdir()
        (folder / PLANS[2].name / "failed.txt").write_text("No such data set.\n")
        runs = collect(self.folder).sweeps[0].runs
        self.assertEqual([run.status for run in runs], ["done", "failed", "failed"])
        self.assertEqual([run.trouble for run in runs], ["", "Killed by signal 9.", "No such data set."])

    @parameterized.named_parameters(
        ("no_json", "summary.json", '{"sta', "summary.json is no JSON"),
        ("a_list", "summary.json", "[]", "is no summary"),
        ("not_text", "config.gin", b"\xff\xfe\x00", "config.gin is no text"),
        ("lacking", "summary.json", '{"status": "done"}', "lacks epochs"),
        ("torn_row", "metrics.csv", f"{HEADINGS}\n1\n", "line 2 of"),
        ("no_number", "metrics.csv", f"{HEADINGS}\n1,nan{',0' * 5}\n", "step in line 2 of"),
        ("no_column", "metrics.csv", "epoch,step\n1,2\n", "has no column"),
        ("fewer_rows", "metrics.csv", f"{HEADINGS}\n", "ends with epoch 0, but summary.json says 4"),
    )
    def test_a_damaged_run_stops_no_other(self, name, content, sentence):
        folder = self.sweep()
        for plan in PLANS:
            made.run(folder, plan, made.rows(4, (1.0, 0.5)))
        path = folder / PLANS[1].name / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        runs = collect(self.folder).sweeps[0].runs
        self.assertEqual([run.status for run in runs], ["done", "damaged", "done"])
        self.assertIn(sentence, runs[1].trouble)
        self.assertEndsWith(runs[1].trouble, "Move this run away and make it again.")

    @parameterized.parameters("final", "versions", "seed", "status", "best_on_the_way")
    def test_a_summary_of_another_kind_is_damaged(self, name):
        folder = self.sweep()
        place = made.run(folder, PLANS[0], made.rows(4, (1.0, 0.5)))
        summary = json.loads((place / "summary.json").read_text())
        (place / "summary.json").write_text(json.dumps({**summary, name: [name]}))
        self.assertEqual(self.statuses()[0], "damaged")

    def test_a_damaged_sweep_is_told_and_its_runs_are_single_ones(self):
        folder = self.sweep()
        made.run(folder, PLANS[0], made.rows(4, (1.0, 0.5)))
        (folder / "sweep.json").write_text("{")
        found = collect(self.folder)
        self.assertEqual([run.name for run in found.others], [f"table1/{PLANS[0].name}"])
        self.assertRegex(found.troubles[0], r"sweep.json is damaged")

    def test_a_plan_of_another_kind_is_damaged(self):
        folder = self.sweep()
        fields = json.loads((folder / "sweep.json").read_text())
        fields["runs"][1]["epochs"] = "many"
        (folder / "sweep.json").write_text(json.dumps(fields))
        self.assertRegex(collect(self.folder).troubles[0], "damaged or of another version")

    def test_nothing_to_report(self):
        with self.assertRaisesRegex(UserError, "There is no folder .*nowhere"):
            collect(self.folder / "nowhere")
        with self.assertRaisesRegex(UserError, "holds no sweep and no run"):
            collect(self.folder)


if __name__ == "__main__":
    absltest.main()
