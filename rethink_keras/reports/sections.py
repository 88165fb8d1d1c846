"""The report's section for each sweep: its table, its plots, its progress and how it was made."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

from rethink_keras.errors import UserError
from rethink_keras.reports import drawing, integrity
from rethink_keras.reports.collect import Collection, Run, SweepRecord
from rethink_keras.reports.paper_results import PAPER_RESULTS, PaperResult
from rethink_keras.reports.tables import MOST_DRAWN, Table
from rethink_keras.reports.tabulation import tabulate
from rethink_keras.workdir.record import STATUSES

OWN = "own"


@dataclasses.dataclass(frozen=True)
class DrawnPlot:
    """A plot of a sweep.

    Attributes:
        slug: Name of its files, without the suffix.
        description: What it shows, for readers who do not see it.
        png: Content of the PNG.
        svg: Content of the SVG.
    """

    slug: str
    description: str
    png: bytes
    svg: bytes


@dataclasses.dataclass(frozen=True)
class Section:
    """A sweep in the report.

    Attributes:
        slug: Name of its files, and its anchor on the page.
        sweep: The sweep.
        paper_result: The paper's table or figure.
        table: Our numbers beside the paper's.
        plots: The plots.
    """

    slug: str
    sweep: SweepRecord
    paper_result: PaperResult
    table: Table
    plots: tuple[DrawnPlot, ...]

    @property
    def heading(self) -> str:
        """The heading of the section."""
        return self.table.name if self.is_of_paper else self.sweep.manifest.title

    @property
    def subtitle(self) -> str:
        """What the paper's table or figure shows, or the sweep's title."""
        return self.paper_result.title or self.sweep.manifest.title

    @property
    def is_of_paper(self) -> bool:
        """Whether the paper has this table or figure."""
        return self.paper_result.dataset is not None

    @property
    def is_small(self) -> bool:
        """Whether the sweep is a small version of the paper's experiment."""
        return self.is_of_paper and not self.table.full

    @property
    def counts(self) -> dict[str, int]:
        """Numbers of runs by status, in the order of `STATUSES`, without zeros."""
        counts = Counter(run.status for run in self.sweep.runs)
        return {status: counts[status] for status in STATUSES if counts[status]}

    @property
    def has_warnings(self) -> bool:
        """Whether there are reasons not to trust a row."""
        return bool(self.table.warnings or self.table.notes())

    def command(self) -> str:
        """Returns the command that makes, or completes, the sweep."""
        return self.sweep.manifest.command(self.sweep.folder)

    def made_by(self) -> list[tuple[str, str]]:
        """Returns machines, versions and days of the runs, with the number of runs of each."""
        measured = [run for run in self.sweep.runs if run.summary]
        found = {
            "Machine": Counter(run.summary["device"] for run in measured),
            "Code": Counter(f"rethink_keras {integrity.code(run)}" for run in measured),
            "Libraries": Counter(_libraries(run) for run in measured),
            "Data": Counter(_data(run) for run in measured),
            "Training metrics": Counter(_training_metrics(run) for run in measured),
            "Day": Counter(run.summary["date"] for run in measured if run.summary.get("date")),
        }
        return [(name, integrity.counted(counts)) for name, counts in found.items() if counts]


def make(collection: Collection) -> list[Section]:
    """Returns a section for each sweep: full ones first, in the order of `PAPER_RESULTS`, then those of users."""
    order = [key for key in PAPER_RESULTS if key != OWN] + [OWN]
    ranked = []
    for sweep in collection.sweeps:
        name = sweep.manifest.paper_result
        ranked.append((sweep.manifest.size != "full", order.index(name if name in order else OWN), sweep))
    taken: Counter[str] = Counter()
    sections = []
    for cut_down, position, sweep in sorted(ranked, key=lambda rank: rank[:2]):
        key = order[position]
        slug = f"{key}_small" if cut_down else key
        taken[slug] += 1
        if taken[slug] > 1:
            slug = f"{slug}_{taken[slug]}"
        paper_result = PAPER_RESULTS[key]()
        table = tabulate(sweep, paper_result)
        sections.append(Section(slug, sweep, paper_result, table, _drawn(slug, paper_result, table)))
    return sections


def unknown_results(collection: Collection) -> list[str]:
    """Returns a sentence for each sweep whose paper result is not registered."""
    sentences = []
    for sweep in collection.sweeps:
        try:
            PAPER_RESULTS.find("sweep.paper_result", sweep.manifest.paper_result)
        except UserError as error:
            sentences.append(
                f"{sweep.folder}: {error.sentence} The sweep is reported without numbers of the paper."
            )
    return sentences


def configurations(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Returns config.gin of a row's runs, each with its seeds, once where only the seed differs."""
    found: dict[str, tuple[list[int], str]] = {}
    for run in runs:
        if run.config and run.plan:
            kept = "\n".join(line for line in run.config.splitlines() if not line.startswith("train.seed ="))
            found.setdefault(kept, ([], run.config))[0].append(run.plan.seed)
    return [(_seeds(seeds), text) for seeds, text in found.values()]


def _seeds(seeds: Sequence[int]) -> str:
    first, rest = seeds[0], seeds[1:]
    if not rest:
        return f"seed {first}"
    others = ("seed " if len(rest) == 1 else "seeds ") + ", ".join(map(str, rest))
    return f"seed {first}; the same but for train.seed: {others}"


def _drawn(slug: str, paper_result: PaperResult, table: Table) -> tuple[DrawnPlot, ...]:
    if len(table.rows) > MOST_DRAWN:
        return ()  # the table's warnings say so
    return tuple(
        DrawnPlot(f"{slug}_{plot.key}" if plot.key else slug, plot.description, *drawing.draw(plot))
        for plot in paper_result.plots(table)
    )


def _libraries(run: Run) -> str:
    versions = {name: v for name, v in run.summary["versions"].items() if name != "rethink_keras"}
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _data(run: Run) -> str:
    train, test = (f"{run.summary[f'{split}_examples']:,}" for split in ("train", "test"))
    return f"{run.summary['dataset']}: {train} training and {test} test examples"


def _training_metrics(run: Run) -> str:
    how = run.summary.get("train_metrics", "none yet").replace("_", " ")
    if "fit_loss" not in run.summary:
        return how
    loss, accuracy = run.summary["fit_loss"], run.summary["fit_accuracy"]
    return f"{how}; fitted at a loss of {loss:g}, in figures 1b and 1c at an accuracy of {accuracy:.1%}"
