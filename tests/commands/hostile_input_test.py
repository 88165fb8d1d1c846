"""One bad run among good ones stops no command; names from users are data wherever they are shown."""

import dataclasses
import json
import os
from pathlib import Path

from absl.testing import absltest, parameterized

from rethink_keras.commands import report, runs, train
from rethink_keras.workdir.json_files import MOST_DEPTH
from tests.commands.in_process import main
from tests.fuzz.outcome import check
from tests.reports import made_sweeps as made

GOOD = [made.plan("mlp_1x512", "plain", seed) for seed in range(2)]
METRICS = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
TEXTS = (
    *(
        "\ud800",
        "\x1b[31m",
        "a\nb",
        "\x00",
        "\u202e",
        "[/y]",
        "x[red]y",
        "<script>x</script>",
        "| a |",
        "[a](b)",
        "`" * 4,
    ),
    *("$x$", r"$\frac{$", "$", "_", "日本", "A" * 5_000),
)
FOLDERS = (
    *(
        b"x[/y]",
        b"x[red]y",
        b"\xff\xfe",
        b"\x1b[2J",
        b"a\nb",
        b"$x$",
        rb"$\frac{$",
        b"|",
        b"<script>",
        b"`x`",
        b"-x",
    ),
)
ODD_FILES = {
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "link to itself": lambda path: path.symlink_to(path),
    "endless device": lambda path: path.symlink_to("/dev/zero"),
}


def read(folder: Path, name: str) -> str:
    return (folder / "out" / name).read_text(encoding="utf-8")


def write_report(folder: Path) -> str:
    """Reports on `runs` below a folder; returns what it printed."""
    code, out, err = main(report, f"--workdir={folder / 'runs'}", f"--output={folder / 'out'}")
    check({0}, code, out, err)
    for name in ("index.html", "report.md"):
        for acting in ("\x1b", "\x00", "\u202e"):
            assert acting not in read(folder, name), name
    assert "<script>" not in read(folder, "index.html")
    return out


def run_table(folder: Path, *flags: str) -> str:
    """What `bin/runs` prints of `runs` below a folder."""
    code, out, err = main(runs, f"--workdir={folder / 'runs'}", *flags)
    check({0}, code, out, err)
    return out


def change(path: Path, **changes) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def summary(**changes):
    return lambda place: change(place / "summary.json", **changes)


def instead(text: str):
    return lambda place: (place / "summary.json").write_text(text)


def cell(text: str):
    def write(place):
        path = place / "metrics.csv"
        path.write_text(path.read_text().replace("1.0", text, 1))

    return write


def odd_file(name: str, make):
    def write(place):
        (place / name).unlink()
        make(place / name)

    return write


DAMAGES = {
    "a list for a seed": summary(seed=[0]),
    "a list for a status": summary(status=["done"]),
    "400 digits": summary(train_examples=10**400),
    "400 digits where nobody looks": summary(workers=10**400),
    "not finite": summary(fit_loss=float("nan")),
    "accuracy 1e308": summary(final=dict.fromkeys(METRICS, 1e308)),
    "no text": summary(versions={"keras": {"a": "b"}}),
    "truth value": summary(epochs=True),
    "done without epochs": summary(epochs=0),
    "nested 100,000 deep": instead("[" * 100_000),
    "nested deeper than ours": instead("[" * (MOST_DEPTH + 2) + "]" * (MOST_DEPTH + 2)),
    "5,000 digits": instead("9" * 5_000),
    "empty": instead(""),
    "a cell of 131,073 characters": cell("9" * 131_073),
    "a cell of 400 digits": cell("9" * 400),
    "accuracy 1e308 in an epoch": cell("1e308"),
    "not finite in an epoch": cell("nan"),
    "half of quotes": cell('"'),
    "accuracy below 0": cell("-1"),
    "a zero byte": cell("\x00"),
    **{
        f"{name} is a {kind}": odd_file(name, make)
        for name in ("config.gin", "summary.json", "metrics.csv")
        for kind, make in ODD_FILES.items()
    },
}


class BadRunsAmongGoodOnesTest(made.FolderTestCase):
    def test_each_is_damaged_and_stops_no_other(self):
        plans = [made.plan("mlp_1x512", "plain", seed) for seed in range(2 + len(DAMAGES))]
        sweep = made.sweep(self.folder / "runs" / "table1", "table1", plans)
        places = [made.run(sweep, plan, made.rows(4, (1.0, 0.5))) for plan in plans]
        for damage, place in zip(DAMAGES.values(), places[2:], strict=True):
            damage(place)
        self.assertIn(f"2 of {len(plans)} runs done", write_report(self.folder))
        self.assertTrue((self.folder / "out" / "figures" / "table1.png").exists())
        rows = {row["run"]: row["status"] for row in json.loads(run_table(self.folder, "--json"))}
        run_table(self.folder)
        for name, plan in zip(("good", "good", *DAMAGES), plans, strict=True):
            with self.subTest(name):
                self.assertEqual(rows[f"table1/{plan.name}"], "done" if name == "good" else "damaged")
                self.assertEqual(f"{plan.name}:" in read(self.folder, "report.md"), name != "good")

    def test_texts_are_data(self):
        plans = [made.plan("mlp_1x512", "plain", seed) for seed in range(len(TEXTS))]
        sweep = made.sweep(self.folder / "runs" / "table1", "table1", plans)
        for plan, text in zip(plans, TEXTS, strict=True):
            versions = {"keras": text, text: text}
            place = made.run(sweep, plan, made.rows(4, (1.0, 0.5)), device=text, date=text, versions=versions)
            (place / "config.gin").write_bytes(f"# {text}\n".encode("utf-8", "replace"))
        self.assertIn(f"{len(plans)} of {len(plans)} runs done", write_report(self.folder))

    def test_an_experiment_of_section_5_is_not_damaged(self):
        for number, facts in enumerate(({"status": "done"}, {"status": "done", "randomization": []}, {})):
            place = self.folder / "runs" / str(number)
            place.mkdir(parents=True)
            (place / "config.gin").write_text("# None.\n")
            (place / "metrics.csv").write_text("filters,test_error\n64,0.5\n")
            (place / "summary.json").write_text(
                json.dumps({"cpu_seconds": 1.0, "test_error": 1.2, "seed": 0, **facts})
            )
        rows = json.loads(run_table(self.folder, "--json"))
        self.assertEqual([row["status"] for row in rows], ["done", "damaged", "damaged"])
        self.assertIn("Other runs: 3", write_report(self.folder))

    def test_nested_plan(self):
        sweep = made.sweep(self.folder / "runs" / "table1", "table1", GOOD)
        made.run(sweep, GOOD[0], made.rows(4, (1.0, 0.5)))
        (sweep / "sweep.json").write_text("[" * 100_000)
        out = write_report(self.folder)
        self.assertIn("sweep.json is damaged", out)
        self.assertIn("Other runs: 1", out)


class NamesTest(made.FolderTestCase):
    def test_folders(self):
        for name in map(os.fsdecode, FOLDERS):
            made.run(self.folder / "runs" / name, GOOD[0], made.rows(4, (1.0, 0.5)))
        name = self.folder / "runs" / os.fsdecode(b"\xff$\x1b[/y]") / "s"
        made.run(made.sweep(name, "own", GOOD), GOOD[1], made.rows(4, (1.0, 0.5)))
        self.assertIn(f"Other runs: {len(FOLDERS)}", write_report(self.folder))
        table = run_table(self.folder)
        for text in (
            "x[/y]/mlp_1x512",
            "x[red]y/mlp_1x512",
            r"\x1b[2J/mlp_1x512",
            r"a\nb/mlp_1x512",
            r"\udcff\udcfe/",
        ):
            self.assertIn(text, table)
        names = {row["run"].split("/mlp")[0] for row in json.loads(run_table(self.folder, "--json"))}
        self.assertContainsSubset(map(os.fsdecode, FOLDERS), names)

    @parameterized.parameters("own", "table1", "figure1a", "figure1b_1c")
    def test_networks_variants_and_titles(self, paper_result):
        names = [*TEXTS, "corruption_1e999", "corruption_nan", "corruption_-1"]
        plans = [
            dataclasses.replace(made.plan(*cell), name=f"run_{number}")
            for number, cell in enumerate(
                [
                    *((name, "plain") for name in names),
                    *(("inception", name) for name in names),
                    ("inception", "plain"),
                ]
            )
        ]
        folder = made.sweep(self.folder / "runs", paper_result, plans, "\x1b$\\frac{$<script>")
        for plan in plans:
            made.run(folder, plan, made.rows(2, (1.0, 0.5), fit=2))
        write_report(self.folder)
        self.assertNotIn("| | a | |", read(self.folder, "report.md"))

    def test_more_rows_than_a_plot_has(self):
        plans = [made.plan("mlp", f"variant_{number}") for number in range(201)]
        made.run(made.sweep(self.folder / "runs", "own", plans), plans[0], made.rows(1, (1.0, 0.5)))
        write_report(self.folder)
        self.assertIn("not plotted", read(self.folder, "report.md"))


class VerifyTest(made.FolderTestCase):
    PRINTS = dict.fromkeys(("train_data", "test_data", "randomization", "epoch_order", "weights"), "0")

    def two(self, rows=3, status="done", **changes):
        """Workdirs of two runs of the same files; `changes` are the summary's of the second."""
        places = []
        for number, more in enumerate(({}, changes)):
            made_rows = made.rows(rows, (1.0, 0.5))
            options = {"fingerprints": self.PRINTS, **more}
            places.append(made.run(self.folder / str(number), GOOD[0], made_rows, status, **options))
        return places

    def verify(self, places):
        code, out, err = main(train, f"--workdir={places[0]}", f"--verify={places[1]}")
        check({0, 2, 6}, code, out, err)
        return code

    def test_the_same_files_are_the_same_run(self):
        self.assertEqual(self.verify(self.two()), 0)

    def test_runs_without_rows_are_not_compared(self):
        self.assertEqual(self.verify(self.two(rows=0, status="running")), 2)

    @parameterized.parameters(
        ({"fingerprints": []},),
        ({"fingerprints": {"weights": 1}},),
        ({"fingerprints": {}},),
        ({"status": ["done"]},),
    )
    def test_odd_json(self, changes):
        self.assertEqual(self.verify(self.two(**changes)), 2)

    def test_a_missing_fingerprint_is_not_equal_to_another_missing_one(self):
        places = self.two()
        for place in places:
            change(place / "summary.json", fingerprints={"weights": "0"})
        self.assertEqual(self.verify(places), 2)

    @parameterized.parameters("[" * 100_000, "[]", "3", "null", '"x"')
    def test_json_that_is_none_of_ours(self, text):
        places = self.two()
        (places[1] / "summary.json").write_text(text)
        self.assertEqual(self.verify(places), 2)

    def test_a_column_that_only_one_has_is_a_difference(self):
        places = self.two()
        made.write_metrics(
            places[1], [{**row, "test_top5_accuracy": 0.9} for row in made.rows(3, (1.0, 0.5))]
        )
        self.assertEqual(self.verify(places), 6)


if __name__ == "__main__":
    absltest.main()
