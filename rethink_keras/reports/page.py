"""The report as one HTML page that asks nothing of the network, and as Markdown."""

from __future__ import annotations

import re

import jinja2
import markupsafe

from rethink_keras.reports import figures, paper, paper_results, sections, tables
from rethink_keras.reports.collect import Collection, Run
from rethink_keras.reports.learning_curves import COLOURS
from rethink_keras.reports.sections import Picture, Section
from rethink_keras.reports.tables import Row, Table
from rethink_keras.system import text
from rethink_keras.workdir.record import STATUSES

TITLE = "Understanding deep learning requires rethinking generalization"


def html(collection: Collection, made: list[Section]) -> str:
    """The page."""
    return _environment().get_template("page.html.j2").render(**_context(collection, made))


def markdown(collection: Collection, made: list[Section]) -> str:
    """The same in Markdown, beside its pictures."""
    return _environment().get_template("report.md.j2").render(**_context(collection, made))


def inline_svg(picture: Picture) -> markupsafe.Markup:
    """A picture for the page: its colours follow the page's, and its ids are its own."""
    svg = picture.svg.decode()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r' (width|height)="[0-9.]+pt"', "", svg, count=2)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(?<= id=")|(?<="#)|(?<=url\(#)', f"{picture.slug}-", svg)
    variables = {figures.INK: "ink", figures.MUTED: "muted", figures.RULE: "rule", figures.PAPERS: "papers"}
    variables |= {colour: f"series-{number}" for number, colour in enumerate(COLOURS)}
    variables["#ffffff"] = "card"
    for colour, variable in variables.items():
        svg = svg.replace(colour, f"var(--{variable})")
    return markupsafe.Markup(svg)


def command(line: str) -> markupsafe.Markup:
    """A command that breaks between its flags first; it is copied as it was."""
    words = re.split(r" (?=--)", text.printable(line, keep="\n\t"))
    return markupsafe.Markup(" ").join(markupsafe.Markup("<span>{}</span>").format(word) for word in words)


def _context(collection: Collection, made: list[Section]) -> dict:
    return {
        "title": TITLE,
        "collection": collection,
        "sections": made,
        "statuses": [s for s in STATUSES if any(s in section.counts for section in made)],
        "paper": paper,
        "sources": paper.sources(),
        "tables": tables,
        "network": paper_results.network,
        "cell_name": sections.cell_name,
        "command_of": sections.command_of,
        "configurations": sections.configurations,
        "row_head": _row_head,
        "html_columns": _html_columns,
        "command": command,
        "inline_svg": inline_svg,
        "other_row": _other_row,
        "other_heads": _OTHER_HEADS,
        "fence": text.fence,
    }


def _row_head(row: Row) -> str:
    """What a row is, below the name of its network; that name where nothing else is to say."""
    return paper_results.words(row.variant) if len(row.labels) > 2 else row.labels[-1]


def _html_columns(table: Table) -> int:
    """Columns beside the rows' heads: whether a difference is within the spread stands in its cell."""
    return 1 + sum(kind != "within" for measure in table.measures for kind in table.kinds(measure))


_OTHER_HEADS = (
    *("folder", "status", "network", "data", "labels", "pixels", "seed", "epochs"),
    *("train (%)", "test (%)", "best on the way (%)"),
)


def _other_row(run: Run) -> list[str]:
    """A run outside any sweep, a text a column."""
    summary = run.summary
    randomization = summary.get("randomization", {})
    final, best = run.final, summary.get("best_on_the_way", {})
    return [
        run.name,
        run.trouble or run.status,
        str(summary.get("model", tables.NONE)),
        str(summary.get("dataset", tables.NONE)),
        str(randomization.get("labels", tables.NONE)),
        str(randomization.get("pixels", tables.NONE)),
        str(summary.get("seed", tables.NONE)),
        str(run.epochs),
        *(
            f"{100 * value:.2f}" if value is not None else tables.NONE
            for value in (final.get("train_accuracy"), final.get("test_accuracy"), best.get("test_accuracy"))
        ),
    ]


def _printable(value: object) -> object:
    """What a template writes: texts of files without what no encoding can hold and no reader should act on."""
    if isinstance(value, str) and not isinstance(value, markupsafe.Markup):
        return text.printable(value, keep="\n\t")
    return value


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("rethink_keras.reports"),
        autoescape=lambda name: (name or "").endswith(".html.j2"),
        finalize=_printable,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["markdown"] = text.markdown
    return environment
