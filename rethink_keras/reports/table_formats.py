"""A table of the report as Markdown and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from rethink_keras.reports.tables import Table, kind_title
from rethink_keras.system.text import markdown, printable


def to_markdown(table: Table) -> str:
    """Returns the table in Markdown, with its warnings below."""
    headings = [label.title for label in table.labels]
    rule = ["---"] * len(headings)
    for measure in table.measures:
        names = [kind_title(table, kind) for kind in table.kinds(measure)]
        headings += [f"{measure.title}: {name}" for name in names]
        rule += ["---:"] * len(names)
    lines = [_line([*headings, "seeds"]), _line([*rule, "---"])]
    for row in table.rows:
        cells = [*row.labels, *(v.text(kind) for v in row.values for kind in table.kinds(v.measure))]
        marks = "".join(f" [{number}]" for number in table.marks(row))
        lines.append(_line([*map(markdown, cells), row.seeds + marks]))
    notes = [
        f"- **[{number}]** {markdown(f'{row.name}: {warning}')}" for number, row, warning in table.notes()
    ]
    notes = [f"- **All rows**: {markdown(warning)}" for warning in table.warnings] + notes
    remarks = [f"- {markdown(remark)}" for row in table.rows for remark in row.remarks]
    text = "\n".join(lines) + "\n"
    if notes:
        text += "\nBefore you trust a row:\n\n" + "\n".join(notes) + "\n"
    if remarks:
        text += "\nNot counted in any mean:\n\n" + "\n".join(remarks) + "\n"
    return text


def to_csv(table: Table) -> str:
    """Returns the table as CSV: plain numbers, empty where there is none."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    kinds = ("paper", "ours", "deviation", "difference", "within_spread")
    headings = [f"{measure.quantity}_{kind}" for measure in table.measures for kind in kinds]
    writer.writerow(["network", "variant", "size", *headings, "seeds_counted", "seeds_planned", "warnings"])
    for row in table.rows:
        cells: list[str] = []
        for value in row.values:
            numbers = (value.paper, value.mean, value.deviation, value.difference)
            cells += ["" if number is None else f"{number:.6g}" for number in numbers]
            cells.append({None: "", True: "yes", False: "no"}[value.within])
        size = "full" if table.full else "small"
        warnings = " ".join([*table.warnings, *row.warnings])
        writer.writerow([row.network, row.variant, size, *cells, len(row.counted), len(row.runs), warnings])
    return printable(text.getvalue(), keep="\n")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
