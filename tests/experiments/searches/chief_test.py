import contextlib
import functools
import json
from pathlib import Path

import hypothesis
from absl.testing import absltest, parameterized
from hypothesis import strategies as st
from keras_tuner.engine.trial import TrialStatus

from rethink_keras import config
from rethink_keras.errors import UserError
from rethink_keras.experiments.searches import chief as chiefs
from rethink_keras.experiments.searches import results
from rethink_keras.experiments.searches.chief import Chief
from rethink_keras.experiments.searches.worker_locks import WORKERS, worker_lock, workers_alive
from tests.experiments.searches.small_searches import planned
from tests.workdir import made_runs

ALGORITHMS = {
    "random_search": ("search.trials = 5",),
    "bayesian": ("search.algorithm = @bayesian", "search.trials = 5", "bayesian.random_trials = 3"),
    "hyperband": ("search.algorithm = @hyperband",),  # of 3 epochs, which SMALL has
}

# What Keras Tuner 1.4.8 draws with seed 0. The Gaussian process of `bayesian` is not here: its proposals depend on
# the last bits of matrix products, which differ between processors.
DRAWN = ["@sgd '32' 0.002992 0.6062", "@adam '32' 0.004443", "@sgd '16' 0.01389 0.7036",
         "@sgd '16' 0.001636 0.9344", "@sgd '32' 0.002304 0.8047"]  # fmt: skip
GOLDEN = {  # the run, its last epoch, what varies
    "random_search": [(f"{k:04d}", 3, bound) for k, bound in enumerate(DRAWN)],
    "hyperband": [
        *((f"{k:04d}", 1, bound) for k, bound in enumerate(DRAWN[:3])),
        ("0002", 3, DRAWN[2]),
        ("0004", 3, DRAWN[3]),
        ("0005", 3, DRAWN[4]),
    ],
}


def write_run(workdir: Path, accuracies):
    """The files of a run with such training accuracies after its epochs."""
    made_runs.write_run(
        workdir, "done", [made_runs.row(k, a, seconds=2.0) for k, a in enumerate(accuracies, 1)]
    )


class Scene:
    """A chief and a made worker whose trials fit the better the larger their learning rate."""

    def __init__(self, folder, *params):
        self.folder = folder
        self.params = params
        self.ended = []
        self.begin()

    def begin(self):
        """A new chief, as after the end of a process."""
        self.plan = planned(self.folder, *self.params)
        self.chief = Chief(self.plan, self.folder, self.ended.append)
        self.chief.release_lost()

    def end(self, trial, failed=False):
        trial.status = TrialStatus.FAILED if failed else TrialStatus.COMPLETED
        rate = float(self.plan.bindings(trial)["train.learning_rate"])
        write_run(
            self.folder / self.plan.run(trial).name,
            [rate * k for k in range(1, self.plan.last_epoch(trial) + 1)],
        )
        self.chief.end_trial(trial)

    def all(self, *, restart=False, failed=()):
        """Goes through the search; what each trial was, its epochs and score."""
        while (trial := self.chief.create_trial("w")).status == TrialStatus.RUNNING:
            if restart:
                self.begin()
                again = self.chief.create_trial("w")
                assert again.trial_id == trial.trial_id
            self.end(trial, int(trial.trial_id) in failed)
            if restart:
                self.begin()
        assert trial.status == TrialStatus.STOPPED
        return [
            (
                self.plan.run(t).name.removeprefix("trials/"),
                self.plan.last_epoch(t),
                " ".join(self.plan.bindings(t).values()),
                t.status,
                None if t.score is None else round(t.score, 6),
            )
            for t in self.chief.trials
        ]


class ChiefTest(parameterized.TestCase):
    def tearDown(self):
        config.clear()
        super().tearDown()

    @parameterized.parameters(*GOLDEN)
    def test_a_seed_proposes_the_same_trials(self, algorithm):
        folder = Path(self.create_tempdir())
        found = Scene(folder, *ALGORITHMS[algorithm]).all()
        self.assertEqual([trial[:2] for trial in found], [trial[:2] for trial in GOLDEN[algorithm]])
        for trial, (*_, expected) in zip(found, GOLDEN[algorithm], strict=True):
            self.assert_same_values(trial[2], expected)

    @parameterized.parameters(*ALGORITHMS)
    def test_resuming_after_every_step_proposes_the_same_trials(self, algorithm):
        folder = Path(self.create_tempdir())
        other = Path(self.create_tempdir())
        whole = Scene(folder, *ALGORITHMS[algorithm]).all()
        resumed = Scene(other, *ALGORITHMS[algorithm]).all(restart=True)
        self.assertEqual(resumed, whole)

    def assert_same_values(self, found, expected):
        """Compares bound values: words exactly, decimal numbers within a thousandth."""
        self.assertEqual(len(found.split()), len(expected.split()))
        for one, other in zip(found.split(), expected.split(), strict=True):
            if "." in other:
                self.assertAlmostEqual(float(one), float(other), delta=1e-3 * float(other))
            else:
                self.assertEqual(one, other)

    def test_hyperband_goes_on_in_the_workdirs_of_the_best(self):
        folder = Path(self.create_tempdir())
        scene = Scene(folder, *ALGORITHMS["hyperband"])
        found = scene.all()
        rungs = [(name, until) for name, until, *_ in found]
        self.assertLen(set(rungs), len(rungs))
        first = [trial for trial in found if trial[1] == 1]
        on = [trial for trial in found if trial[1] == 3 and (trial[0], 1) in rungs]
        best = sorted(first, key=lambda trial: -trial[4])[: len(on)]
        self.assertNotEmpty(on)
        self.assertEqual({trial[0] for trial in on}, {trial[0] for trial in best})
        costs = planned(folder, *ALGORITHMS["hyperband"]).costs
        self.assertLen(found, len(costs))
        self.assertEqual(sum(costs), sum(until for _, until in rungs) - len(on))

    def test_hyperband_goes_on_with_others_than_the_failed(self):
        folder = Path(self.create_tempdir())
        found = Scene(folder, *ALGORITHMS["hyperband"]).all(failed=(0, 1))
        failed = {trial[0] for trial in found if trial[3] == TrialStatus.FAILED}
        names = [trial[0] for trial in found]
        self.assertEqual(failed, {"0000", "0001"})
        self.assertLess(len(set(names)), len(names))  # some went on
        self.assertEqual([names.count(name) for name in failed], [1, 1])

    def test_trials_of_the_living_stay_theirs_and_those_of_the_lost_are_handed_out(self):
        folder = Path(self.create_tempdir())
        scene = Scene(folder, "search.trials = 2")
        (folder / WORKERS).mkdir()
        alive = worker_lock(folder, "alive")
        with alive:
            kept, lost = (scene.chief.create_trial(name) for name in ("alive", "lost"))
            self.assertEqual(scene.chief.create_trial("other").status, TrialStatus.IDLE)
            self.assertEqual(scene.chief.release_lost(), [lost.trial_id])
            self.assertEqual(workers_alive(folder), ["alive"])
            scene.begin()
            self.assertEqual(scene.chief.create_trial("other").trial_id, lost.trial_id)
            self.assertEqual(scene.chief.create_trial("alive").trial_id, kept.trial_id)
            for trial in (kept, lost, kept):  # told twice, it counts once
                scene.end(trial)
            self.assertEqual(scene.chief.create_trial("other").status, TrialStatus.STOPPED)
            self.assertTrue(scene.chief.finished)
        self.assertEqual([trial.trial_id for trial in scene.ended], [kept.trial_id, lost.trial_id])

    def test_more_trials_may_be_asked_for(self):
        folder = Path(self.create_tempdir())
        few = Scene(folder, "search.trials = 8").all()
        scene = Scene(folder, "search.trials = 12")
        self.assertFalse(scene.chief.finished)
        more = scene.all()
        self.assertEqual((len(few), len(more), more[:8]), (8, 12, few))

    def test_a_failed_write_changes_nothing_on_disk(self):
        folder = Path(self.create_tempdir())
        scene = Scene(folder)
        before = (folder / chiefs.NAME).read_text()
        with (
            absltest.mock.patch.object(chiefs, "write_atomically", side_effect=OSError(28, "No space left")),
            self.assertRaises(OSError),
        ):
            scene.chief.create_trial("w")
        self.assertEqual((folder / chiefs.NAME).read_text(), before)

    def test_a_trial_whose_files_are_torn_has_failed(self):
        folder = Path(self.create_tempdir())
        scene = Scene(folder)
        trial = scene.chief.create_trial("w")
        workdir = folder / scene.plan.run(trial).name
        write_run(workdir, [0.5])
        (workdir / "metrics.csv").write_text("epoch,train_loss\n1")
        trial.status = TrialStatus.COMPLETED
        scene.chief.end_trial(trial)
        self.assertEqual(scene.chief.trials[0].status, TrialStatus.FAILED)

    @hypothesis.settings(max_examples=60, deadline=None, derandomize=True, database=None)
    @hypothesis.given(st.data())
    def test_whatever_search_json_holds_it_is_resumed_or_damaged(self, data):
        path, text = self.finished
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(start + 20, len(text))))
        pieces = st.sampled_from(
            ["", "null", "[]", "{}", "-1", "1e999", '"\\ud800"', '"../x"', "9" * 30, "0"]
        )
        path.write_text(text[:start] + data.draw(pieces) + text[end:])
        with contextlib.suppress(UserError):
            plan = planned(path.parent)
            chief = Chief(plan, path.parent, print)
            chief.release_lost()
            results.rows(plan, chief.trials, path.parent)
            chief.create_trial("w")

    @functools.cached_property
    def finished(self):
        """The search.json of a search with trials of every kind, and its text."""
        folder = Path(self.create_tempdir())
        scene = Scene(folder)
        for failed in (False, True):
            scene.end(scene.chief.create_trial("w"), failed)
        scene.chief.create_trial("w")
        path = folder / chiefs.NAME
        return path, path.read_text()

    @parameterized.parameters("[" * 100_000, '{"format": 1}', "\ud800", "")
    def test_a_damaged_search_json_is_told(self, text):
        folder = Path(self.create_tempdir())
        Scene(folder)
        (folder / chiefs.NAME).write_bytes(text.encode(errors="surrogatepass"))
        with self.assertRaisesRegex(UserError, "search.json is damaged"):
            Scene(folder)

    def test_strange_workers_in_search_json_are_lost_ones(self):
        folder = Path(self.create_tempdir())
        scene = Scene(folder)
        scene.chief.create_trial("w")
        path = folder / chiefs.NAME
        state = json.loads(path.read_text())
        state["oracle"]["ongoing_trials"] = {"x" * 5000: state["oracle"]["ongoing_trials"]["w"]}
        path.write_text(json.dumps(state))
        scene.begin()
        self.assertEqual(scene.chief.create_trial("other").trial_id, scene.chief.trials[0].trial_id)

    def test_another_search_is_refused_with_the_difference(self):
        folder = Path(self.create_tempdir())
        Scene(folder)
        with self.assertRaises(UserError) as raised:
            Scene(folder, "search.objective = 'train_loss'")
        self.assertIn('+ "objective": "train_loss"', raised.exception.sentence)


if __name__ == "__main__":
    absltest.main()
