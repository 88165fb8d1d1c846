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
from rethink_keras.reports.tables import NONE, Table, kind_title
from rethink_keras.system import text
from rethink_keras.workdir.record import STATUSES

TITLE = "Understanding deep learning requires rethinking generalization"


def render(template: str, collection: Collection, parts: list[Section]) -> str:
    """Returns the report by a template: 'page.html.j2' includes its plots, 'report.md.j2' links to them."""
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
    return environment.get_template(template).render(
        title=TITLE,
        collection=collection,
        sections=parts,
        statuses=[s for s in STATUSES if any(s in section.counts for section in parts)],
        spread=paper_numbers.spread(),
        sources=paper_numbers.sources(),
        kind_title=kind_title,
        table_markdown=table_formats.to_markdown,
        network_name=network_name,
        variant_name=variant_name,
        configurations=sections.configurations,
        html_columns=_html_columns,
        command=command,
        inline_svg=inline_svg,
        others=[_other_run(run) for run in collection.others],
        fence=text.fence,
    )


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


def _html_columns(table: Table) -> int:
    """Returns the number of columns without the row headings; 'within' shares a column with the difference."""
    return 1 + sum(kind != "within" for measure in table.measures for kind in table.kinds(measure))


def _other_run(run: Run) -> dict[str, str]:
    """Returns the columns of a run outside any sweep, by their headings."""
    summary = run.summary
    randomization = summary.get("randomization", {})
    facts = {
        "folder": run.name,
        "status": run.trouble or run.status,
        "network": summary.get("model", NONE),
        "data": summary.get("dataset", NONE),
        "labels": randomization.get("labels", NONE),
        "pixels": randomization.get("pixels", NONE),
        "seed": summary.get("seed", NONE),
        "epochs": run.epochs,
    }
    accuracies = {
        "train (%)": run.final.get("train_accuracy"),
        "test (%)": run.final.get("test_accuracy"),
        "best on the way (%)": summary.get("best_on_the_way", {}).get("test_accuracy"),
    }
    percents = {name: NONE if a is None else f"{100 * a:.2f}" for name, a in accuracies.items()}
    return {name: str(fact) for name, fact in facts.items()} | percents


def _printable(value: object) -> object:
    """Returns a value for a template, with control characters and lone surrogates of texts as escapes."""
    if isinstance(value, str) and not isinstance(value, markupsafe.Markup):
        return text.printable(value, keep="\n\t")
    return value
