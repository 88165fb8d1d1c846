"""Kills the process of a sweep at random moments, and checks that its runs save, end and resume.

    .venv/bin/python -m benchmarks.kill_sweeps --kills=200
    .venv/bin/python -m benchmarks.kill_sweeps --kills=20 --program=train

SIGKILL ends the process before it can send anything to its runs; Linux sends them a signal. `stub` has runs without a
network (`stub_run.py`) on the local engine, which save all the time; `train` is `bin/sweep` with `bin/train` on the
embedded digits. After each kill every run must end by itself, its last checkpoint complete and none cut off, and the
next sweep must resume it. Prints kills, runs that were alive then, and faults.
"""

from __future__ import annotations

import dataclasses
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from absl import flags
from tqdm import tqdm

from benchmarks import stub_run
from rethink_keras.experiments.display import Display
from rethink_keras.experiments.engines.local import Local
from rethink_keras.experiments.job import Job
from rethink_keras.experiments.orchestrator import JobList, run_all
from rethink_keras.experiments.placement import Place
from rethink_keras.system.signals import StopRequest
from rethink_keras.workdir.summary import RUNNING
from rethink_keras.workdir.workdir import Workdir

ROOT = Path(__file__).parents[1]
RUNS = 2
PATIENCE_SECONDS = 120  # for a run to save and end
LONGEST_SECONDS = {"stub": 1.5, "train": 4.0}  # between the first save of a life and the kill
GIN = """
sweep.groups = [@group()]
sweep.seeds = {seeds}
group.network = 'run'
group.base = [
    "dataset.name = 'digits'",
    'train.model = @mlp',
    "mlp.hidden = '512'",
    'train.epochs = 100000',
    'train.tensorboard = False',
    "evaluation.train_metrics = 'running_average'",
]
local.jobs = {jobs}
"""


class OnProcessor(Local):
    """The local engine without GPUs, to find which it would import TensorFlow."""

    def places(self, threads: int, most: int, say: Callable[[str], None]) -> list[Place]:
        """Returns a place for each run."""
        return [Place() for _ in range(most)]


@dataclasses.dataclass
class Outcome:
    """What was counted.

    Attributes:
        kills: Kills of the sweep's process.
        alive: Runs that were alive at a kill, in total.
        saves: Checkpoints that were complete after a kill.
        resumes: How often a run went further than before the kill.
        faults: What was wrong, in words.
    """

    kills: int = 0
    alive: int = 0
    saves: int = 0
    resumes: int = 0
    faults: list[str] = dataclasses.field(default_factory=list)


def lead(folder: Path) -> None:
    """Runs stub runs on the local engine until this process is killed."""
    program, options = (stub_run.__file__,), ("--epochs=1000000", "--seconds=0.01", "--megabytes=8")
    runs = workdirs(folder, "stub")
    jobs = [Job(run.name, run, (f"--workdir={run}", *options), program=program) for run in runs]
    run_all(JobList(jobs, print), OnProcessor(), Display(), StopRequest(), threads=1, most=RUNS)


def start(folder: Path, program: str) -> subprocess.Popen:
    """Starts the process of a sweep."""
    if program == "stub":
        command = [sys.executable, "-m", "benchmarks.kill_sweeps", f"--lead={folder}"]
    else:
        gin_file = folder / "sweep.gin"
        gin_file.write_text(GIN.format(seeds=list(range(RUNS)), jobs=RUNS))
        command = [
            sys.executable,
            str(ROOT / "bin" / "sweep"),
            f"--gin_file={gin_file}",
            f"--workdir={folder}",
        ]
    silent, environment = subprocess.DEVNULL, {**os.environ, "PYTHONPATH": "."}
    return subprocess.Popen(command, cwd=ROOT, stdout=silent, stderr=silent, env=environment)


def workdirs(folder: Path, program: str) -> list[Path]:
    """Returns the workdirs of the runs."""
    return [folder / (f"run_{k}" if program == "stub" else f"run/plain/seed_{k}") for k in range(RUNS)]


def kill_and_check(folder: Path, program: str, kills: int) -> Outcome:
    """Kills a sweep `kills` times, and counts what is wrong then.

    Raises:
        RuntimeError: A sweep ended by itself, or none of its runs saved.
    """
    moments = random.Random(0)
    outcome = Outcome()
    runs = workdirs(folder, program)
    for _ in tqdm(range(kills), desc="kills", mininterval=10):
        before = [newest(run) for run in runs]
        sweep = start(folder, program)
        # One kill in four comes while the runs start, the others while they train.
        if moments.random() >= 0.25:
            _wait_until_further(sweep, runs, before)
        time.sleep(moments.uniform(0, LONGEST_SECONDS[program]))
        if sweep.poll() is not None:
            raise RuntimeError(f"the sweep ended by itself with {sweep.returncode}")
        saved = [newest(run) for run in runs]
        outcome.alive += len(processes(folder)) - 1
        sweep.kill()
        sweep.wait()
        outcome.kills += 1
        _check(folder, runs, before, saved, outcome)
    return outcome


def newest(run: Path) -> str:
    """Returns the name of a run's newest checkpoint, or ''. Names sort by epoch and step."""
    names = [path.name for path in stub_run.checkpoints(run)]
    return names[-1] if names else ""


def processes(folder: Path) -> list[psutil.Process]:
    """Returns all processes with the folder in their command, without this one."""
    others = (process for process in psutil.process_iter(["cmdline"]) if process.pid != os.getpid())
    return [process for process in others if str(folder) in " ".join(process.info["cmdline"] or [])]


def _wait_until_further(sweep: subprocess.Popen, runs: list[Path], before: list[str]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while all(newest(run) == name for run, name in zip(runs, before, strict=True)):
        if sweep.poll() is not None or time.monotonic() > end:
            raise RuntimeError("no run of the sweep has saved")
        time.sleep(0.01)


def _check(folder: Path, runs: list[Path], before: list[str], saved: list[str], outcome: Outcome) -> None:
    when = f"kill {outcome.kills}"
    _, left = psutil.wait_procs(processes(folder), PATIENCE_SECONDS)
    for process in left:
        outcome.faults.append(f"{when}: process {process.pid} has not ended")
        process.kill()
    for run, first, last in zip(runs, before, saved, strict=True):
        for partial in run.rglob(".*.tmp"):
            outcome.faults.append(f"{when}: a save was cut off, {partial.name}")
            partial.unlink()
        try:
            found = newest(run)
            if found:
                stub_run.restored(run)
                outcome.saves += 1
        except Exception as error:
            outcome.faults.append(f"{when}: {run.name} cannot read its checkpoint, {error}")
        if found < last:
            outcome.faults.append(f"{when}: {run.name} had {last} and has {found}")
        if Workdir(run).read().status == RUNNING:
            outcome.faults.append(f"{when}: {run.name} has ended without saving")
        outcome.resumes += bool(first) and found > first


def main() -> None:
    """Runs the benchmark."""
    values = flags.FlagValues()
    flags.DEFINE_integer("kills", 200, "How many times the sweep is killed.", flag_values=values)
    flags.DEFINE_enum("program", "stub", list(LONGEST_SECONDS), "What its runs are.", flag_values=values)
    flags.DEFINE_string("lead", None, "Be the sweep of stub runs in this folder.", flag_values=values)
    values(sys.argv)
    if values.lead:
        lead(Path(values.lead))
        return
    with tempfile.TemporaryDirectory() as folder:
        outcome = kill_and_check(Path(folder), values.program, values.kills)
    print(
        f"{values.program}: {outcome.kills} kills, {outcome.alive} runs alive then, {outcome.saves} checkpoints whole, "
        f"{outcome.resumes} resumes, {len(outcome.faults)} faults"
    )
    print("\n".join(outcome.faults))


if __name__ == "__main__":
    main()
