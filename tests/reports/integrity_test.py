from absl.testing import absltest, parameterized

from rethink_keras.reports import integrity
from rethink_keras.reports.collect import read_run
from tests.reports import made_sweeps as made

RANDOM = {"labels": "random", "pixels": "true", "corruption": None}


class IntegrityTest(made.FolderTestCase):
    def runs(self, *changes, variant="random_labels"):
        """A run of each seed, with changes of its summary."""
        found = []
        for seed, change in enumerate(changes):
            plan = made.plan("mlp_1x512", variant, seed)
            place = made.run(self.folder, plan, made.rows(4, (1.0, 0.1)), **change)
            found.append(read_run(place, plan.name, plan))
        self.assertEqual({run.status for run in found}, {"done"})
        return found

    def test_runs_of_one_kind_differ_in_nothing(self):
        self.assertEqual(integrity.of_cell(self.runs({}, {}, {})), [])
        self.assertEqual(integrity.of_cell([]), [])

    @parameterized.named_parameters(
        (
            "data",
            {"fingerprints": {"train_data": "a", "test_data": "b"}},
            r"differ in their data: .*a/b \(1 run\)",
        ),
        ("data_set", {"dataset": "mnist"}, "differ in their data: cifar10.*mnist"),
        ("examples", {"train_examples": 500}, r"500 \+ 10,000 examples"),
        (
            "randomization",
            {"randomization": {**RANDOM, "labels": "true", "seed": 1}},
            'differ in their randomization: .*"labels": "true"',
        ),
        (
            "seeds",
            {"randomization": {**RANDOM, "seed": 7}},
            r"randomization vary .*\(run/randomization: 0/0, 1/7\)",
        ),
        ("other_seed", {"seed": 0, "randomization": {**RANDOM, "seed": 0}}, "same seeds"),
        (
            "code",
            {"versions": {**made.VERSIONS, "rethink_keras": "0.1.0+fedcba987654"}},
            "code version: 0.1.0",
        ),
        (
            "library",
            {"versions": {**made.VERSIONS, "keras": "3.14.0"}},
            "version of keras: 3.14.0 .1 run.; 3.15.1",
        ),
        (
            "no_code",
            {"versions": {k: v for k, v in made.VERSIONS.items() if k != "rethink_keras"}},
            "not recorded",
        ),
    )
    def test_a_run_of_another_kind_is_reported(self, change, sentence):
        self.assertRegex("\n".join(integrity.of_cell(self.runs({}, change))), sentence)

    def test_a_run_that_was_resumed_by_another_version_is_reported(self):
        first, second = ({**made.VERSIONS, "rethink_keras": f"0.1.0+{name}"} for name in ("first", "second"))
        changes = {"versions": second, "computed_by": [first, second]}
        runs = self.runs(changes, variant="true_labels")
        name = runs[0].name
        sentence = f"{name} was computed by several code versions: 0.1.0+first, then 0.1.0+second."
        self.assertEqual(integrity.of_cell(runs), [sentence])
        self.assertEqual(integrity.of_sweep(runs), [sentence])
        self.assertEqual(integrity.of_cell(self.runs({"computed_by": [made.VERSIONS]})), [])

    def test_a_run_that_was_resumed_under_another_library_is_reported(self):
        parts = [made.VERSIONS, {**made.VERSIONS, "keras": "3.14.0"}]
        self.assertIn("versions of keras", "".join(integrity.of_cell(self.runs({"computed_by": parts}))))

    def test_one_of_both_seeds_may_stay(self):
        fixed_maps = [{"randomization": {**RANDOM, "seed": 0}} for _ in range(3)]
        self.assertEqual(integrity.of_cell(self.runs(*fixed_maps)), [])

    def test_a_seed_of_maps_that_are_not_drawn_plays_no_role(self):
        runs = self.runs({}, {"randomization": {**RANDOM, "labels": "true", "seed": 7}}, variant="plain")
        self.assertEqual(integrity.of_cell(runs), [])

    def test_a_run_that_is_not_the_planned_one(self):
        changes = {"seed": 5, "randomization": {**RANDOM, "seed": 5}}
        self.assertEqual(
            integrity.of_cell(self.runs(changes)),
            ["mlp_1x512/random_labels/seed_0 was planned with seed 0 and has 5."],
        )

    def test_configurations_differ_in_the_seed_alone(self):
        runs = self.runs({}, {})
        config = runs[1].folder / "config.gin"
        config.write_text(config.read_text() + "train.learning_rate = \\\n    0.1\n")
        again = [read_run(run.folder, run.name, run.plan) for run in runs]
        self.assertEqual(
            integrity.of_cell(again), ["The runs differ in their configuration: train.learning_rate."]
        )

    def test_other_data_than_the_papers(self):
        runs = self.runs({})
        self.assertEqual(integrity.of_other_data(runs, "cifar10"), [])
        [sentence] = integrity.of_other_data(runs, "imagenet2012")
        self.assertIn("where the paper has imagenet2012", sentence)

    def test_fewer_examples_than_the_papers(self):
        [sentence] = integrity.of_other_data(self.runs({"train_examples": 1000}), "cifar10")
        self.assertIn("Trained on cifar10 with 1,000 training", sentence)


if __name__ == "__main__":
    absltest.main()
