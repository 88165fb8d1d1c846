"""The report as one HTML page, which loads nothing from the network, and as Markdown."""

from __future__ import annotations

import re

import jinja2
import markupsafe

from rethink_keras import plotting
from rethink_keras.reports import paper_numbers, sections, table_formats
from rethink_keras.reports.collect import Collection, Run
from rethink_keras.reports.names import network_name, variant_name
from rethink_keras.reports.sections import DrawnPlot, Section
from rethink_keras.reports.tables import NONE, Table, TableRow, kind_title
from rethink_keras.system import text
from rethink_keras.workdir.record import STATUSES

TITLE = "Understanding deep learning requires rethinking generalization"


def html(collection: Collection, parts: list[Section]) -> str:
    """Returns the report as one HTML page, with its plots."""
    return _environment().get_template("page.html.j2").render(**_context(collection, parts))


def markdown(collection: Collection, parts: list[Section]) -> str:
    """Returns the report in Markdown, which links to its plots."""
    return _environment().get_template("report.md.j2").render(**_context(collection, parts))


def inline_svg(plot: DrawnPlot) -> markupsafe.Markup:
    """Returns a plot as part of the page: with the page's colours, and ids that no other plot has."""
    svg = plot.svg.decode()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r' (width|height)="[0-9.]+pt"', "", svg, count=2)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(?<= id=")|(?<="#)|(?<=url\(#)', f"{plot.slug}-", svg)
    variables = {
        plotting.INK: "ink",
        plotting.MUTED: "muted",
        plotting.RULE: "rule",
        plotting.PAPER_GREY: "papers",
        **{colour: f"series-{number}" for number, colour in enumerate(plotting.COLOURS)},
    }
    variables["#ffffff"] = "card"
    for colour, variable in variables.items():
        svg = svg.replace(colour, f"var(--{variable})")
    return markupsafe.Markup(svg)


def command(line: str) -> markupsafe.Markup:
    """Returns a command as HTML whose lines break between flags; a reader copies it unchanged."""
    words = re.split(r" (?=--)", text.printable(line, keep="\n\t"))
    return markupsafe.Markup(" ").join(markupsafe.Markup("<span>{}</span>").format(word) for word in words)


def _context(collection: Collection, parts: list[Section]) -> dict:
    return {
        "title": TITLE,
        "collection": collection,
        "sections": parts,
        "statuses": [s for s in STATUSES if any(s in section.counts for section in parts)],
        "spread": paper_numbers.spread(),
        "sources": paper_numbers.sources(),
        "kind_title": kind_title,
        "table_markdown": table_formats.to_markdown,
        "network_name": network_name,
        "cell_name": sections.cell_name,
        "command_of": sections.command_of,
        "configurations": sections.configurations,
        "row_heading": _row_heading,
        "html_columns": _html_columns,
        "command": command,
        "inline_svg": inline_svg,
        "other_row": _other_row,
        "other_headings": _OTHER_HEADINGS,
        "fence": text.fence,
    }


def _row_heading(row: TableRow) -> str:
    """Returns what a row is, below the name of its network; that name if there is nothing to add."""
    return variant_name(row.variant) if len(row.labels) > 2 else row.labels[-1]


def _html_columns(table: Table) -> int:
    """Returns the number of columns without the row headings; 'within' shares a column with the difference."""
    return 1 + sum(kind != "within" for measure in table.measures for kind in table.kinds(measure))


_OTHER_HEADINGS = (
    *("folder", "status", "network", "data", "labels", "pixels", "seed", "epochs"),
    *("train (%)", "test (%)", "best on the way (%)"),
)


def _other_row(run: Run) -> list[str]:
    """Returns the columns of a run outside any sweep."""
    summary = run.summary
    randomization = summary.get("randomization", {})
    final, best = run.final, summary.get("best_on_the_way", {})
    return [
        run.name,
        run.trouble or run.status,
        str(summary.get("model", NONE)),
        str(summary.get("dataset", NONE)),
        str(randomization.get("labels", NONE)),
        str(randomization.get("pixels", NONE)),
        str(summary.get("seed", NONE)),
        str(run.epochs),
        *(
            f"{100 * value:.2f}" if value is not None else NONE
            for value in (final.get("train_accuracy"), final.get("test_accuracy"), best.get("test_accuracy"))
        ),
    ]


def _printable(value: object) -> object:
    """Returns a value for a template, with characters that no encoding holds or a terminal would act on as escapes."""
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
