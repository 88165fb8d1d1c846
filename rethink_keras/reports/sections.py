"""What a report says of each sweep: its table, its pictures, how far it is and how it was made."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

from rethink_keras.reports import figures, integrity, paper_results, plots, tables
from rethink_keras.reports.collect import Collection, Run, Sweep
from rethink_keras.reports.paper_results import PaperResult
from rethink_keras.reports.tables import Row, Table
from rethink_keras.workdir.record import STATUSES

_DRAWN_AS_ROWS = {
    "table1": "test_accuracy",
    "table2": "test_accuracy",
    "table4": "train_accuracy",
    "own": "test_accuracy",
}


@dataclasses.dataclass(frozen=True)
class Picture:
    """A picture of a sweep.

    Attributes:
        slug: its file's name, without the suffix.
        alt: what it shows, in words.
        png: its bytes.
        svg: its bytes.
    """

    slug: str
    alt: str
    png: bytes
    svg: bytes


@dataclasses.dataclass(frozen=True)
class Section:
    """A sweep in a report.

    Attributes:
        slug: names its files and its place on the page.
        sweep: what is reported.
        table: its figures beside the paper's.
        pictures: the same for eyes.
    """

    slug: str
    sweep: Sweep
    table: Table
    pictures: tuple[Picture, ...]

    @property
    def paper_result(self) -> PaperResult:
        """The paper's table or figure."""
        return self.table.paper_result

    @property
    def heading(self) -> str:
        """Above the section."""
        if self.paper_result is paper_results.OWN:
            return self.sweep.manifest.title
        return self.table.name

    @property
    def counts(self) -> dict[str, int]:
        """Runs by status, done first; those with none left out."""
        counts = Counter(run.status for run in self.sweep.runs)
        return {status: counts[status] for status in STATUSES if counts[status]}

    @property
    def has_warnings(self) -> bool:
        """Whether a row mixes what should not be mixed."""
        return bool(self.table.warnings or self.table.notes())

    def command(self) -> str:
        """The command that makes, or completes, the sweep."""
        return self.sweep.manifest.command(self.sweep.folder)

    def made_by(self) -> list[tuple[str, str]]:
        """Machines, versions and days of the runs, each with how many."""
        measured = [run for run in self.sweep.runs if run.summary]
        found = {
            "Machine": Counter(run.summary["device"] for run in measured),
            "Code": Counter(f"rethink_keras {integrity.code(run)}" for run in measured),
            "Libraries": Counter(_libraries(run) for run in measured),
            "Data": Counter(_data(run) for run in measured),
            "Training figures": Counter(_training_figures(run) for run in measured),
            "Day": Counter(run.summary["date"] for run in measured if run.summary.get("date")),
        }
        return [(name, integrity.counted(counts)) for name, counts in found.items() if counts]


def configurations(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """The config.gin of a row's runs: the first, and such as differ from it in more than the seed."""
    found: dict[str, tuple[list[int], str]] = {}
    for run in runs:
        if run.config and run.plan:
            kept = "\n".join(line for line in run.config.splitlines() if not line.startswith("train.seed ="))
            found.setdefault(kept, ([], run.config))[0].append(run.plan.seed)
    return [
        (
            f"seed {seeds[0]}"
            + (f"; the same but for train.seed: {_listed(seeds[1:])}" if seeds[1:] else ""),
            text,
        )
        for seeds, text in found.values()
    ]


def make(collection: Collection) -> list[Section]:
    """A section for each sweep: the paper's order, full ones before small ones."""
    order = [*paper_results.PAPER_RESULTS, paper_results.OWN.key]
    pairs = [(paper_results.of(sweep.manifest.paper_result), sweep) for sweep in collection.sweeps]
    pairs.sort(key=lambda pair: (pair[1].manifest.size != "full", order.index(pair[0].key)))
    taken: Counter[str] = Counter()
    sections = []
    for paper_result, sweep in pairs:
        slug = paper_result.key if sweep.manifest.size == "full" else f"{paper_result.key}_small"
        taken[slug] += 1
        if taken[slug] > 1:
            slug = f"{slug}_{taken[slug]}"
        table = tables.build(sweep, paper_result)
        sections.append(Section(slug, sweep, table, tuple(_pictures(slug, sweep, table))))
    return sections


def command_of(run: Run, sweep: Sweep) -> str:
    """The command that makes, or completes, one run."""
    assert run.plan
    return run.plan.command(sweep.folder)


def cell_name(row: Row) -> str:
    """Network and variant in words."""
    return f"{paper_results.network(row.network)}: {paper_results.words(row.variant)}"


def _pictures(slug: str, sweep: Sweep, table: Table) -> list[Picture]:
    if len(table.rows) > tables.MOST_DRAWN:
        return []  # the table's warnings say so
    if quantity := _DRAWN_AS_ROWS.get(table.paper_result.key):
        alt = f"{table.name}: {quantity.replace('_', ' ')} of every row, the paper's and ours"
        return [Picture(slug, alt, *figures.draw_rows(table, quantity))]
    return [
        Picture(
            f"{slug}_{plot.key}" if plot.key else slug,
            f"{plot.title}: {plot.y_title} by {plot.x_title}, the paper's and ours",
            *figures.draw(plot),
        )
        for plot in plots.of(sweep, table)
    ]


def _libraries(run: Run) -> str:
    versions = {name: v for name, v in run.summary["versions"].items() if name != "rethink_keras"}
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _data(run: Run) -> str:
    train, test = (f"{run.summary[f'{split}_examples']:,}" for split in ("train", "test"))
    return f"{run.summary['dataset']}: {train} training and {test} test examples"


def _training_figures(run: Run) -> str:
    how = run.summary.get("train_metrics", "none yet").replace("_", " ")
    if "fit_loss" not in run.summary:
        return how
    loss, accuracy = run.summary["fit_loss"], run.summary["fit_accuracy"]
    return f"{how}; fitted at a loss of {loss:g}, in figures 1b and 1c at an accuracy of {accuracy:.1%}"


def _listed(seeds: Sequence[int]) -> str:
    return ("seed " if len(seeds) == 1 else "seeds ") + ", ".join(map(str, seeds))
