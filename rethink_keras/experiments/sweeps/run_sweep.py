"""Runs what is missing of a sweep, and reports how it ended."""

from __future__ import annotations

from pathlib import Path

from rethink_keras.errors import RunsFailedError, StoppedBySignalError, UserError
from rethink_keras.experiments import display as displays
from rethink_keras.experiments.display import Display
from rethink_keras.experiments.engines import Engine
from rethink_keras.experiments.job import Outcome
from rethink_keras.experiments.orchestrator import JobList, leading, run_all
from rethink_keras.experiments.planned_run import PlannedRun
from rethink_keras.experiments.run_process import other_configuration
from rethink_keras.experiments.sweeps.manifest import Manifest
from rethink_keras.system.signals import StopRequest
from rethink_keras.workdir.record import RunRecord
from rethink_keras.workdir.summary import DIVERGED, DONE, ENDED, RUNNING
from rethink_keras.workdir.workdir import Workdir


def run_sweep(
    manifest: Manifest,
    folder: Path,
    engine: Engine,
    *,
    retries: int,
    data_dir: str | None = None,
    replace: bool = False,
) -> None:
    """Trains every run of a sweep that is not done yet.

    Args:
        manifest: The requested runs.
        folder: Folder of the sweep.
        engine: Where runs compute.
        retries: How many more times a run is tried whose failure may be temporary.
        data_dir: TFDS data folder; None leaves it to TFDS.
        replace: Take runs that `manifest` does not name out of `sweep.json`; otherwise they stay.

    Raises:
        UserError: Another process works at the sweep, or a run in the folder has another configuration.
        RunsFailedError: Runs failed. The others are done then.
        StoppedBySignalError: SIGINT, SIGTERM or SIGHUP came. All runs have saved then.
        DiskError: The folder cannot be written.
    """
    refusal = f"Another process works at the sweep in {folder}. Wait for it, or name another --workdir."
    with leading(folder, refusal) as stop:
        whole = manifest.merged(folder, replace)
        for run in manifest.runs:
            if Workdir(folder / run.name).read().status in ENDED and (
                wrong := other_configuration(folder / run.name, run.fingerprint)
            ):
                raise UserError(wrong)
        whole.write(folder)
        missing = [run for run in manifest.runs if _is_missing(folder / run.name)]
        print(
            f"{len(manifest.runs)} runs in {folder}, {len(manifest.runs) - len(missing)} of them ended."
            f"{others_kept(whole, manifest)}",
            flush=True,
        )
        failed: dict[str, str] = {}  # the sentences of failed runs, by name
        display = Display(lambda: [_progress(run, folder, run.name in failed) for run in manifest.runs])

        def ended(outcome: Outcome) -> None:
            if outcome.exit_code:
                failed[outcome.name] = outcome.sentence
            display.ended(_line(folder, outcome))

        jobs = [run.job(folder, retries=retries, data_dir=data_dir) for run in missing]
        with display.shown():
            if jobs:
                threads = manifest.runs[0].threads
                run_all(JobList(jobs, ended), engine, display, stop, threads=threads, most=len(jobs))
        _conclude(manifest, folder, failed, stop)


def others_kept(whole: Manifest, requested: Manifest) -> str:
    """Returns a sentence about the runs of a sweep that were not requested now; empty if there are none."""
    more = len(whole.runs) - len(requested.runs)
    return f" sweep.json keeps {more} more; --replace takes them out." if more else ""


def _is_missing(workdir: Path) -> bool:
    """Returns whether `bin/train` has work to do, also on a done run that lost a file, which it rebuilds."""
    status = Workdir(workdir).read().status
    if status != DONE:
        return status not in ENDED
    try:
        return bool(Workdir(workdir).lacking())
    except UserError:  # a file cannot be read; bin/train explains it
        return True


def _progress(run: PlannedRun, folder: Path, failed: bool) -> displays.Progress:
    found = Workdir(folder / run.name).read()
    status = {DONE: displays.DONE, RUNNING: displays.RUNNING}.get(found.status, displays.LEFT)
    if failed or found.status == DIVERGED:
        status = displays.FAILED
    spent = run.images * found.epochs / run.epochs
    return displays.Progress(status, run.images, spent, found.seconds, run.network)


def _line(folder: Path, outcome: Outcome) -> str:
    if outcome.exit_code:
        times = "tried once" if outcome.attempts == 1 else f"tried {outcome.attempts} times"
        return f"{outcome.name}: {outcome.sentence} (exit code {outcome.exit_code}, {times})"
    record = Workdir(folder / outcome.name).read()
    return f"{outcome.name}: {record.seconds:.0f} s, {record.final_metrics()}"


def _conclude(manifest: Manifest, folder: Path, failed: dict[str, str], stop: StopRequest) -> None:
    """Prints that all is done, or raises the error that says what is not."""
    records = {run.name: Workdir(folder / run.name).read() for run in manifest.runs}
    left = [name for name, record in records.items() if record.status != DONE or name in failed]
    if stop.number is not None:
        raise StoppedBySignalError(
            f"Stopped; runs in progress saved. {len(left)} of {len(records)} runs are left: the same command resumes.",
            stop.number,
        )
    if left:
        lines = [f"  {name}: {failed.get(name) or _state(records[name])}" for name in left]
        others = "" if len(left) == len(records) else "; the others are done"
        raise RunsFailedError(
            f"{len(left)} of {len(records)} runs failed{others}. The train.log of each has more, and the same command "
            "tries again:\n" + "\n".join(lines)
        )
    print(f"All {len(records)} runs are done.", flush=True)


def _state(record: RunRecord) -> str:
    """Returns why a run without a failed process is not done."""
    return "diverged earlier" if record.status == DIVERGED else record.trouble or record.progress()
