"""Searches small enough for tests: MLPs on the embedded digits, with real `bin/tune` and `bin/train` processes."""

from __future__ import annotations

import csv
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rethink_keras import config
from rethink_keras.experiments.searches.search import Search, SearchPlan, plan_search
from rethink_keras.experiments.searches.space import Space
from tests.training.small_runs import SMALL

ROOT = Path(__file__).parents[3]
GIN = """
search.title = 'MLPs on digits'
search.base = {base}
search.trials = 3
space.choice = {{'train.optimizer': [@sgd, @adam], 'mlp.hidden': ['16', '32']}}
space.log_uniform = {{'train.learning_rate': (0.001, 0.1)}}
space.uniform = {{'sgd.momentum': (0.5, 0.95)}}
{more}
"""


def write_gin(folder: Path, *more: str, bindings: tuple[str, ...] = ()) -> Path:
    """A gin file of a search; `more` are lines of it, `bindings` of all trials."""
    path = folder / "search.gin"
    path.write_text(GIN.format(base=[*SMALL, *bindings], more="\n".join(more)))
    return path


def planned(folder: Path, *params: str, bindings: tuple[str, ...] = ()) -> SearchPlan:
    """Plan of such a search; `params` are more bindings of it, `bindings` of all trials."""
    gin_files = [str(write_gin(folder, bindings=bindings))]
    config.parse(gin_files, params)
    return plan_search(Search(), Space(), gin_files, threads=1)


def start_tune(gin_file: Path, folder: Path, *params: str, **environment: str) -> subprocess.Popen:
    """A `bin/tune` process with piped output."""
    command = [sys.executable, str(ROOT / "bin" / "tune"), f"--gin_file={gin_file}", f"--workdir={folder}"]
    command += [f"--gin_param={param}" for param in params]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )


def table(folder: Path) -> list[dict[str, str]]:
    """The table of trials without what may differ: the time that they took."""
    with (folder / "trials.csv").open() as file:
        return [
            {name: cell for name, cell in row.items() if name != "seconds"} for row in csv.DictReader(file)
        ]


def wait_for(holds: Callable[[], bool], what: str, seconds: float = 300) -> None:
    """Waits until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.05)


def free_port() -> int:
    """A port of the loopback that nobody listens at."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]
