"""Workers of one run as real processes on the loopback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.training.train_processes import ROOT

# With time limits for a test: a lost worker is noticed after seconds.
MAIN = """
import sys
from rethink_keras.commands import train
from rethink_keras.training.distribution import workers
workers.LOST_SECONDS, workers.START_SECONDS = 10, 240
sys.exit(train.main())
"""


def start(workdirs: Sequence[Path], *bindings: str, own: Sequence[Sequence[str]] = (), main: str = MAIN):
    """Starts a worker for each workdir, with common bindings and its own; returns the processes."""
    addresses = _free_addresses(len(workdirs))
    processes = []
    for index, workdir in enumerate(workdirs):
        task = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
        params = [f"--gin_param={b}" for b in (*bindings, *(own[index] if own else ()))]
        processes.append(
            subprocess.Popen(
                [sys.executable, "-c", main, f"--workdir={workdir}", *params],
                cwd=ROOT,
                env={**os.environ, "TF_CONFIG": json.dumps(task)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return processes


def ended(processes) -> list[tuple[int, str, str]]:
    """Returns the exit code, stdout and stderr of each process, when all have ended."""
    try:
        outputs = [process.communicate(timeout=500) for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, *output) for process, output in zip(processes, outputs, strict=True)]


def _free_addresses(count: int) -> list[str]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
    for each in sockets:
        each.close()
    return addresses
