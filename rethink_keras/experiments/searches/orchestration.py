"""Goes through a search: alone in one process, as the chief of workers elsewhere, or as one of those."""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from keras_tuner.engine.trial import Trial

from rethink_keras.errors import StoppedBySignalError, WorkerLostError
from rethink_keras.experiments.engines.local import Local, stopped_by_failure
from rethink_keras.experiments.orchestration import leading
from rethink_keras.experiments.searches import chief as chiefs
from rethink_keras.experiments.searches import progress, remote
from rethink_keras.experiments.searches.algorithms import InMemory
from rethink_keras.experiments.searches.chief import Chief, Trials
from rethink_keras.experiments.searches.search import Plan
from rethink_keras.experiments.searches.worker import Worker
from rethink_keras.system.disk_errors import explain_disk_errors
from rethink_keras.system.signals import StopRequest, stop_request

TICK_SECONDS = 0.5
Sentences = queue.SimpleQueue[str]  # of workers, which are threads, for the main one to show


def lead(
    plan: Plan, oracle: InMemory, folder: Path, role: remote.Role, engine: Local, data_dir: str | None
) -> list[Trial]:
    """Goes through a search, alone or as the chief; returns all trials.

    Args:
        plan: of the search.
        oracle: of its trials.
        folder: of the search.
        role: of this process.
        engine: says how many trials run here side by side.
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
                with remote.served(chief, folder, role.address):
                    print(f"Workers find this chief at {role.address}.", flush=True)
                    _watch(chief, folder, display, stop)
            elif not chief.finished:
                chief.release_lost()
                sentences: Sentences = queue.SimpleQueue()
                places = engine.places(plan.template.threads, len(costs))
                workers = _workers(plan, chief, folder, role, places, data_dir, sentences)

                def tick() -> None:
                    _say_all(sentences, display.say)
                    display.tick(chief.trials)

                _work(workers, stop, threading.Event(), tick)
        finally:
            display.close()
        if stop.number is not None:
            raise StoppedBySignalError(
                f"Stopped; trials in progress saved. {len(chief.trials)} of up to {len(costs)} trials are begun: the "
                "same command goes on.",
                stop.number,
            )
        return chief.trials


def follow(
    plan: Plan, oracle: InMemory, folder: Path, role: remote.Role, engine: Local, data_dir: str | None
) -> None:
    """Works for the chief elsewhere until there are no more trials.

    Args: as `lead`'s; the oracle only says how many trials there can be.

    Raises:
        UserError: if another worker has the same id, or the chief leads another search.
        WorkerLostError: if the chief does not answer.
        StoppedBySignalError: after its trials saved, if SIGINT, SIGTERM or SIGHUP came.
        DiskError: if the folder cannot be written.
    """
    chiefs.check_same(folder, chiefs.read(folder), plan)
    stopping = threading.Event()
    with explain_disk_errors(folder), stop_request() as stop:

        def ended(trial: Trial) -> None:
            print(progress.line(plan, folder, trial), flush=True)

        client = remote.Client(folder, role.address, plan.search.patience_minutes, stopping, ended)
        sentences: Sentences = queue.SimpleQueue()
        places = engine.places(plan.template.threads, len(oracle.costs(plan.template.epochs)))
        workers = _workers(plan, client, folder, role, places, data_dir, sentences)
        with contextlib.suppress(remote.Stopped):
            _work(workers, stop, stopping, lambda: _say_all(sentences, functools.partial(print, flush=True)))
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
    plan: Plan,
    trials: Trials,
    folder: Path,
    role: remote.Role,
    places: Sequence[Mapping[str, str]],
    data_dir: str | None,
    sentences: Sentences,
) -> list[Worker]:
    """A worker for each place."""
    return [
        Worker(f"{role.tuner_id}-{number}", plan, trials, folder, place, data_dir, sentences.put)
        for number, place in enumerate(places)
    ]


def _say_all(sentences: Sentences, say: Callable[[str], None]) -> None:
    while not sentences.empty():
        say(sentences.get())


def _work(
    workers: Sequence[Worker], stop: StopRequest, stopping: threading.Event, tick: Callable[[], None]
) -> None:
    """Lets all workers work; if one meets what is no trial's fault, all save and stop, and it is raised."""
    # The pool's end waits for the trials, so that whatever fails must ask them to stop before.
    with concurrent.futures.ThreadPoolExecutor(len(workers)) as pool, stopped_by_failure(stopping):
        waiting = {pool.submit(worker.work, stopping) for worker in workers}
        while waiting:
            done, waiting = concurrent.futures.wait(waiting, TICK_SECONDS, "FIRST_COMPLETED")
            if stop:
                stopping.set()
            for future in done:
                future.result()
            tick()


def _watch(chief: Chief, folder: Path, display: progress.Display, stop: StopRequest) -> None:
    """Waits until the search is finished and its workers have gone; hands out again what lost workers had."""
    while not (stop or chief.trouble or (chief.finished and not chiefs.workers_alive(folder))):
        for name in chief.release_lost():
            display.say(f"trial {int(name):04d}: its worker is lost; the next one that asks goes on with it")
        display.tick(chief.trials)
        time.sleep(TICK_SECONDS)
    if chief.trouble:
        raise chief.trouble
