"""Makes what is missing of a sweep and tells how it went."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from rethink_keras.errors import RunsFailedError, StoppedBySignalError
from rethink_keras.experiments.engines.local import Local
from rethink_keras.experiments.engines.ray_cluster import RayCluster
from rethink_keras.experiments.manifest import Manifest, PlannedRun
from rethink_keras.experiments.process import Job, Outcome
from rethink_keras.experiments.progress import DIVERGED, DONE, Display, progress_of
from rethink_keras.files import disk_errors_told, held, make_folder
from rethink_keras.training.signals import StopRequest, stop_request

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
    with disk_errors_told(folder), held(folder, refusal), stop_request() as stop:
        yield stop


def make(manifest: Manifest, folder: Path, engine: Engine, retries: int, data_dir: str | None = None) -> None:
    """Makes every run of a sweep that is not done yet.

    Args:
        manifest: of the sweep.
        folder: of the sweep.
        engine: where runs compute.
        retries: how many more times a run is tried that failed in a way that may pass.
        data_dir: TFDS data folder; None leaves it to TFDS.

    Raises:
        UserError: if another process works at the sweep.
        RunsFailedError: if runs failed; the others are done then.
        StoppedBySignalError: after all runs saved, if SIGINT, SIGTERM or SIGHUP came.
        DiskError: if the folder cannot be written.
    """
    refusal = f"Another process works at the sweep in {folder}. Wait for it, or name another --workdir."
    with leading(folder, refusal) as stop:
        manifest.write(folder)
        missing = [
            run for run in manifest.runs if progress_of(folder / run.name).status not in (DONE, DIVERGED)
        ]
        print(
            f"{len(manifest.runs)} runs in {folder}, {len(manifest.runs) - len(missing)} of them over.",
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

        jobs = [_job(run, folder, retries, data_dir) for run in missing]
        try:
            if jobs:
                engine.run(jobs, manifest.runs[0].threads, stopping, tick, ended)
        finally:
            display.close()
        _conclude(manifest, folder, outcomes, stop)


def _job(run: PlannedRun, folder: Path, retries: int, data_dir: str | None) -> Job:
    # A machine of a cluster has the environment of its own service, not of this process.
    environment = {name: os.environ[name] for name in ("TFDS_DATA_DIR",) if name in os.environ}
    data = [f"--data_dir={data_dir}"] if data_dir else []
    return Job(run.name, folder / run.name, (*run.arguments(folder), *data), retries, environment)


def _conclude(manifest: Manifest, folder: Path, outcomes: list[Outcome], stop: StopRequest) -> None:
    found = {run.name: progress_of(folder / run.name) for run in manifest.runs}
    left = [name for name, progress in found.items() if progress.status != DONE]
    if stop.number is not None:
        raise StoppedBySignalError(
            f"Stopped; runs in progress saved. {len(left)} of {len(found)} runs are left: the same command goes on.",
            stop.number,
        )
    if left:
        told = {outcome.name: outcome.sentence for outcome in outcomes}
        lines = [f"  {name}: {told.get(name) or 'diverged earlier'}" for name in left]
        others = "" if len(left) == len(found) else "; the others are done"
        raise RunsFailedError(
            f"{len(left)} of {len(found)} runs failed{others}. Each one's train.log says more, and the same command "
            "tries again:\n" + "\n".join(lines)
        )
    print(f"All {len(found)} runs are done.", flush=True)
