"""Makes what is missing of a sweep and tells how it went."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from rethink_keras.errors import RunsFailedError, StoppedBySignalError, UserError
from rethink_keras.experiments.engines.local import Local
from rethink_keras.experiments.engines.ray_cluster import RayCluster
from rethink_keras.experiments.progress import Display
from rethink_keras.experiments.run_process import Job, Outcome, other_configuration
from rethink_keras.experiments.sweeps.manifest import Manifest
from rethink_keras.experiments.sweeps.sweep import grown
from rethink_keras.system.disk_errors import explain_disk_errors
from rethink_keras.system.files import make_folder
from rethink_keras.system.locks import held
from rethink_keras.system.signals import StopRequest, stop_request
from rethink_keras.workdir.summary import DIVERGED, DONE, ENDED
from rethink_keras.workdir.workdir import Workdir

Engine = Local | RayCluster


@contextlib.contextmanager
def leading(folder: Path, refusal: str) -> Iterator[StopRequest]:
    """Makes a folder and holds it, so that one process alone leads the work in it; yields what tells of signals.

    Args:
        folder: of the sweep or search.
        refusal: what another process is told.

    Raises:
        UserError: if another process holds the folder, or its path is no folder.
        DiskError: if the disk is full or fails, now or later.
    """
    make_folder(folder)
    with explain_disk_errors(folder), held(folder, refusal), stop_request() as stop:
        yield stop


def make(
    manifest: Manifest,
    folder: Path,
    engine: Engine,
    retries: int,
    data_dir: str | None = None,
    replace: bool = False,
) -> None:
    """Makes every run of a sweep that is not done yet.

    Args:
        manifest: of the runs that are asked for.
        folder: of the sweep.
        engine: where runs compute.
        retries: how many more times a run is tried that failed in a way that may pass.
        data_dir: TFDS data folder; None leaves it to TFDS.
        replace: take runs that `manifest` does not name out of `sweep.json`; otherwise they stay.

    Raises:
        UserError: if another process works at the sweep, or a run in the folder has another configuration.
        RunsFailedError: if runs failed; the others are done then.
        StoppedBySignalError: after all runs saved, if SIGINT, SIGTERM or SIGHUP came.
        DiskError: if the folder cannot be written.
    """
    refusal = f"Another process works at the sweep in {folder}. Wait for it, or name another --workdir."
    with leading(folder, refusal) as stop:
        whole = grown(folder, manifest, replace)
        found = {run.name: Workdir(folder / run.name).read().status for run in manifest.runs}
        for run in manifest.runs:
            wrong = other_configuration(folder / run.name, run.fingerprint)
            if found[run.name] in ENDED and wrong:
                raise UserError(wrong)
        whole.write(folder)
        missing = [
            run for run in manifest.runs if found[run.name] not in ENDED or _lacks_files(folder / run.name)
        ]
        print(
            f"{len(manifest.runs)} runs in {folder}, {len(manifest.runs) - len(missing)} of them over."
            f"{others_kept(whole, manifest)}",
            flush=True,
        )
        display = Display(manifest, folder)
        outcomes: list[Outcome] = []
        stopping = threading.Event()

        def tick() -> None:
            if stop:
                stopping.set()
            display.tick()

        def ended(outcome: Outcome) -> None:
            outcomes.append(outcome)
            if not stop:
                display.ended(outcome)

        jobs = [Job.of(run, folder, retries=retries, data_dir=data_dir, environment={}) for run in missing]
        try:
            if jobs:
                engine.run(jobs, manifest.runs[0].threads, stopping, tick, ended, display.say)
        finally:
            display.close()
        _conclude(manifest, folder, outcomes, stop)


def _lacks_files(workdir: Path) -> bool:
    """Whether a run that is done has lost a file, which `bin/train` rebuilds or says why it cannot."""
    try:
        return Workdir(workdir).read().status == DONE and bool(Workdir(workdir).lacking())
    except UserError:  # a file cannot be read
        return True


def others_kept(whole: Manifest, asked: Manifest) -> str:
    """A sentence on the runs of a sweep besides those asked for; empty if there are none."""
    more = len(whole.runs) - len(asked.runs)
    return f" sweep.json keeps {more} more; --replace takes them out." if more else ""


def _conclude(manifest: Manifest, folder: Path, outcomes: list[Outcome], stop: StopRequest) -> None:
    found = {run.name: Workdir(folder / run.name).read() for run in manifest.runs}
    sentences = {outcome.name: outcome.sentence for outcome in outcomes}
    failed = {outcome.name for outcome in outcomes if outcome.exit_code}
    left = [name for name, progress in found.items() if progress.status != DONE or name in failed]
    if stop.number is not None:
        raise StoppedBySignalError(
            f"Stopped; runs in progress saved. {len(left)} of {len(found)} runs are left: the same command goes on.",
            stop.number,
        )
    if left:
        lines = [f"  {name}: {sentences.get(name) or _state(found[name].status)}" for name in left]
        others = "" if len(left) == len(found) else "; the others are done"
        raise RunsFailedError(
            f"{len(left)} of {len(found)} runs failed{others}. Each one's train.log says more, and the same command "
            "tries again:\n" + "\n".join(lines)
        )
    print(f"All {len(found)} runs are done.", flush=True)


def _state(status: str) -> str:
    """Why a run that nothing was said of is not done."""
    return "diverged earlier" if status == DIVERGED else f"its files are {status}"
