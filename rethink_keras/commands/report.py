"""Writes a report on all sweeps and runs in and below a folder, beside the paper's numbers.

They may be incomplete. The report is an HTML page, Markdown, CSV tables, PNG and SVG plots.

  bin/report --workdir=runs/paper --output=runs/report

Exit codes: 0 done, 2 bad usage, nothing to report or no folder to write to, 5 standard output cannot be written.
"""

from __future__ import annotations

from collections.abc import Sequence

from rethink_keras.commands import command_flags, runner
from rethink_keras.errors import UserError
from rethink_keras.system.text import printable


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command and returns its exit code."""
    values = command_flags.basic_flags()
    values.string("workdir", "Folder of sweeps and runs.")
    values.string("output", "Folder of the report; made if it does not exist.")
    return runner.run_command(__doc__, values, lambda: _report(values.workdir, values.output), argv)


def _report(workdir: str | None, output: str | None) -> None:
    if not workdir or not output:
        raise UserError("Give --workdir=DIR, the folder of sweeps and runs, and --output=DIR to write to.")
    from rethink_keras.reports import report

    found = report.write(workdir, output)
    for trouble in found.troubles:
        print(f"Note: {printable(trouble)}")
    for sweep in found.sweeps:
        done = sum(run.status == "done" for run in sweep.runs)
        print(f"{printable(sweep.manifest.title)}: {done} of {len(sweep.runs)} runs done")
    if found.others:
        print(f"Other runs: {len(found.others)}")
    print(f"Wrote {printable(output)}/index.html, report.md, tables/, figures/")
