"""Goes through a search: alone in one process, as the chief of workers elsewhere, or as one of those."""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from keras_tuner.engine.trial import Trial

from rethink_keras.errors import StoppedBySignalError, WorkerLostError
from rethink_keras.experiments.engines.local import Local
from rethink_keras.experiments.orchestration import leading
from rethink_keras.files import disk_errors_told
from rethink_keras.searching import chief as chiefs
from rethink_keras.searching import progress, remote
from rethink_keras.searching.algorithms import InMemory
from rethink_keras.searching.chief import Chief, Trials
from rethink_keras.searching.search import Plan
from rethink_keras.searching.worker import Worker
from rethink_keras.training.signals import StopRequest, stop_request

TICK_SECONDS = 0.5


def lead(plan: Plan, oracle: InMemory, folder: Path, role: remote.Role, data_dir: str | None) -> list[Trial]:
    """Goes through a search, alone or as the chief; returns all trials.

    Args:
        plan: of the search.
        oracle: of its trials.
        folder: of the search.
        role: of this process.
        data_dir: TFDS data folder; None leaves it to TFDS.

    Raises:
        UserError: if another process leads the search in the folder, or it is another search.
        StoppedBySignalError: after all trials saved, if SIGINT, SIGTERM or SIGHUP came.
        DiskError: if the folder cannot be written.
    """
    refusal = f"Another process leads the search in {folder}. Wait for it, or name another --workdir."
    with leading(folder, refusal) as stop:
        costs = oracle.costs(plan.template.epochs)
        display = progress.Display(plan, folder, costs)
        chief = Chief(plan, oracle, folder, lambda trial: display.ended(trial, chief.trials))
        print(f"Up to {len(costs)} trials in {folder}, {len(chief.trials)} of them begun.", flush=True)
        try:
            if role.is_chief and not chief.finished:
                with remote.served(chief, role.address):
                    print(f"Workers find this chief at {role.address}.", flush=True)
                    _watch(chief, folder, display, stop)
            elif not chief.finished:
                chief.release_lost()
                workers = _workers(plan, chief, folder, role, data_dir)
                _work(workers, stop, threading.Event(), lambda: display.tick(chief.trials))
        finally:
            display.close()
        if stop.number is not None:
            raise StoppedBySignalError(
                f"Stopped; trials in progress saved. {len(chief.trials)} of up to {len(costs)} trials are begun: the "
                "same command goes on.",
                stop.number,
            )
        return chief.trials


def follow(plan: Plan, folder: Path, role: remote.Role, data_dir: str | None) -> None:
    """Works for the chief elsewhere until there are no more trials.

    Raises:
        UserError: if another worker has the same id, or the chief leads another search.
        WorkerLostError: if the chief does not answer.
        StoppedBySignalError: after its trials saved, if SIGINT, SIGTERM or SIGHUP came.
        DiskError: if the folder cannot be written.
    """
    chiefs.check_same(folder, chiefs.read(folder), plan)
    stopping = threading.Event()
    with disk_errors_told(folder), stop_request() as stop:

        def ended(trial: Trial) -> None:
            print(progress.line(plan, folder, trial), flush=True)

        client = remote.Client(role.address, plan.search.patience_minutes, stopping, ended)
        with contextlib.suppress(remote.Stopped):
            _work(_workers(plan, client, folder, role, data_dir), stop, stopping, lambda: None)
        if stop.number is not None:
            raise StoppedBySignalError(
                "Stopped; trials in progress saved. The same command goes on with them, unless another worker does.",
                stop.number,
            )


def wait_for_chief(folder: Path, patience_minutes: float) -> None:
    """Waits until the chief has written what it searches.

    Raises:
        WorkerLostError: if it does not.
    """
    end = time.monotonic() + 60 * patience_minutes
    while not (folder / chiefs.NAME).exists():
        if time.monotonic() > end:
            raise WorkerLostError(
                f"No chief has begun a search in {folder} for {patience_minutes:g} minutes. Start it with the same "
                f"--workdir, in a folder that all see, and {remote.ID}=chief."
            )
        time.sleep(TICK_SECONDS)


def _workers(
    plan: Plan, trials: Trials, folder: Path, role: remote.Role, data_dir: str | None
) -> list[Worker]:
    places = Local().places(plan.template.threads)
    return [
        Worker(f"{role.tuner_id}-{number}", plan, trials, folder, place, data_dir)
        for number, place in enumerate(places)
    ]


def _work(
    workers: Sequence[Worker], stop: StopRequest, stopping: threading.Event, tick: Callable[[], None]
) -> None:
    """Lets all workers work; if one meets what is no trial's fault, all save and stop, and it is raised."""
    with concurrent.futures.ThreadPoolExecutor(len(workers)) as pool:
        waiting = {pool.submit(worker.work, stopping) for worker in workers}
        try:
            while waiting:
                done, waiting = concurrent.futures.wait(waiting, TICK_SECONDS, "FIRST_COMPLETED")
                if stop:
                    stopping.set()
                for future in done:
                    future.result()
                tick()
        finally:
            stopping.set()


def _watch(chief: Chief, folder: Path, display: progress.Display, stop: StopRequest) -> None:
    """Waits until the search is finished and its workers have gone; hands out again what lost workers had."""
    while not stop and not (chief.finished and not chiefs.workers_alive(folder)):
        for name in chief.release_lost():
            display.say(f"trial {int(name):04d}: its worker is lost; the next one that asks goes on with it")
        display.tick(chief.trials)
        if chief.trouble:
            raise chief.trouble
        time.sleep(TICK_SECONDS)
