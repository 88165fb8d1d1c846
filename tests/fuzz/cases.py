"""The cases: a command, and the hostile content that it reads."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from rethink_keras import config
from rethink_keras.commands import data, expressivity, kernel, minimum_norm, report, runs, sweep, train, tune
from rethink_keras.experiments.job import Outcome
from tests.commands.in_process import main
from tests.fuzz import contents as hostile
from tests.fuzz.bindings import DATA_NAMES, NAMES, SEARCH_NAMES, SWEEP_NAMES, odd_binding
from tests.fuzz.outcome import Failed, check
from tests.fuzz.workdirs import damage_run, filled, fingerprints, folder_of_runs
from tests.reports import made_sweeps as made
from tests.training.small_runs import SMALL

Random = random.Random
FOLDER = Path(__file__).parents[2] / "gin"
GIN = sorted(FOLDER.rglob("*.gin"))
COMMANDS: tuple[tuple[Any, str], ...] = (
    *((train, "table1_"), (train, "with/"), (kernel, "section5_mnist"), (expressivity, "section4_")),
    (minimum_norm, "section5_minimum_norm"),
)
"""Commands that take gin files, and what the names of theirs begin with."""


def report_case(rng: Random, folder: Path) -> int:
    """A report with pictures and page."""
    folder_of_runs(rng, folder / "runs")
    code, out, err = main(report, f"--workdir={folder / 'runs'}", f"--output={folder / 'out'}")
    check({0, 2}, code, out, err)
    if not code:
        pages = [(folder / "out" / name).read_text(encoding="utf-8") for name in ("index.html", "report.md")]
        if "<script" in pages[0]:
            raise Failed("a name became markup")
        if any("\x1b" in page or "\x00" in page for page in pages):
            raise Failed("a control character in a page")
    return code


def runs_case(rng: Random, folder: Path) -> int:
    """Tables of runs."""
    folder_of_runs(rng, folder / "runs")
    arguments = [f"--workdir={folder / 'runs'}"]
    if rng.random() < 0.3:
        arguments.append("--json")
    if rng.random() < 0.3:
        arguments.append(
            f"--sort={rng.choice(('-', ''))}{rng.choice(('seed', 'age', 'test_accuracy', 'status'))}"
        )
    if rng.random() < 0.3:
        column, sign = rng.choice(("run", "seed", "epoch", "age")), rng.choice(("=", "~", "<", ">=", "!="))
        arguments.append(f"--filter={column}{sign}{hostile.text(rng)}")
    code, out, err = main(runs, *arguments)
    check({0, 2}, code, out, err)
    return code


def verify_case(rng: Random, folder: Path) -> int:
    """Two runs compared, one or both damaged."""
    places = []
    for name in ("one", "other"):
        plan = made.plan("mlp_1x512", "plain")
        place = made.run(
            folder / name,
            plan,
            made.rows(3 if rng.random() < 0.95 else 0, (1.0, 0.5)),
            fingerprints=fingerprints(rng),
        )
        if rng.random() < 0.4:
            damage_run(rng, place)
        places.append(place)
    code, out, err = main(train, f"--workdir={places[0]}", f"--verify={places[1]}")
    check({0, 2, 6}, code, out, err)
    if not code and "same run" not in out:
        raise Failed(out)
    return code


def sweep_case(rng: Random, folder: Path) -> int:
    """A sweep planned over what lies in its folder."""
    there, gin_file = folder / "s", folder / "sweep.gin"
    gin_file.write_text(
        "sweep.groups = [@mlp/group()]\nmlp/group.network = 'mlp'\n"
        f"mlp/group.base = {list(SMALL)}\nmlp/group.axes = [{{'': [], 'crop': ['augmentation.padding = 1']}}]\n"
    )
    with mock.patch("rethink_keras.experiments.engines.local.run_job", _ended_at_once):
        arguments = [f"--gin_file={gin_file}", f"--workdir={there}"]
        code, out, err = main(sweep, *arguments)
        check({7}, code, out, err)
        for plan in ("mlp/plain/seed_0", "mlp/crop/seed_0"):
            if rng.random() < 0.7:
                place = filled(rng, there / plan)
                if rng.random() < 0.7:
                    damage_run(rng, place)
        if rng.random() < 0.6:
            hostile.damage_json(rng, there / "sweep.json")
        if rng.random() < 0.3:
            arguments.append(f"--gin_param={odd_binding(rng, SWEEP_NAMES)}")
        if rng.random() < 0.5:
            arguments.append("--dry_run")
        code, out, err = main(sweep, *arguments)
    check({0, 2, 5, 7}, code, out, err)
    return code


def search_case(rng: Random, folder: Path) -> int:
    """A search planned and resumed over what lies in its folder."""
    there, gin_file = folder / "s", folder / "search.gin"
    algorithm = rng.choice(("@random_search", "@bayesian", "@hyperband"))
    gin_file.write_text(
        f"search.base = {list(SMALL)}\nsearch.trials = 3\nsearch.algorithm = {algorithm}\n"
        "space.choice = {'mlp.hidden': ['16', '32']}\nspace.log_uniform = {'train.learning_rate': (0.001, 0.1)}\n"
    )

    def trial(job: Any, *_: Any) -> Outcome:
        filled(rng, job.workdir)
        if rng.random() < 0.3:
            damage_run(rng, job.workdir)
        return Outcome(job.name, rng.choice((0, 0, 0, 1, 4)), "It has ended.", 1)

    with mock.patch("rethink_keras.experiments.engines.local.run_job", trial):
        arguments = [f"--gin_file={gin_file}", f"--workdir={there}", "--gin_param=local.jobs = 1"]
        code, out, err = main(tune, *arguments)
        check({0, 2, 5, 7}, code, out, err)
        for place in sorted((there / "trials").glob("*")):
            if rng.random() < 0.5:
                damage_run(rng, place)
        if (there / "search.json").is_file() and rng.random() < 0.6:
            hostile.damage_json(rng, there / "search.json")
        arguments.append(f"--gin_param=search.trials = {rng.choice((3, 4))}")
        if rng.random() < 0.3:
            arguments.append(f"--gin_param={odd_binding(rng, SEARCH_NAMES)}")
        if rng.random() < 0.3:
            arguments.append("--dry_run")
        code, out, err = main(tune, *arguments)
    check({0, 2, 3, 5, 7}, code, out, err)
    return code


def gin_case(rng: Random, folder: Path) -> int:
    """Odd gin files through every command that takes them."""
    path = folder / "file.gin"
    command, prefix = rng.choice(COMMANDS)
    lines = (
        rng.choice([file for file in GIN if file.relative_to(FOLDER).as_posix().startswith(prefix)])
        .read_text()
        .splitlines()
    )
    names = tuple(line.split("=")[0].strip() for line in lines if "=" in line and line[:1].isalpha())
    for _ in range(rng.choice((1, 1, 3))):
        odd = odd_binding(rng, rng.choice((names, names, NAMES)) or NAMES)
        if rng.random() < 0.3:
            odd = hostile.gin_statement(rng)
        lines.insert(rng.randrange(len(lines) + 1), odd)
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
    if rng.random() < 0.1:
        hostile.damage_bytes(rng, path)
    arguments = [f"--gin_file={path}", "--print_config"]
    if rng.random() < 0.3:
        arguments.append(f"--gin_param={odd_binding(rng)}")
    code, out, err = main(command, *arguments)
    check({0, 2}, code, out, err)
    return code


def data_case(rng: Random, folder: Path) -> int:
    """Odd settings through the export of digits."""
    output = f"--output={folder / 'x.npz'}"
    arguments = [f"--gin_param={binding}" for binding in (*SMALL, odd_binding(rng, DATA_NAMES))]
    if rng.random() < 0.3:
        arguments.append(f"--gin_param={odd_binding(rng, DATA_NAMES)}")
    code, out, err = main(data, "export", output, *arguments)
    check({0, 2, 3}, code, out, err)
    return code


def _ended_at_once(job: Any, *_: Any) -> Outcome:
    """In place of `run_process.run_job`: every run fails at once."""
    return Outcome(job.name, 1, "It has ended.", 1)


CASES: dict[str, tuple[Callable[[Random, Path], int], float]] = {
    "gin files": (gin_case, 0.22),
    "data": (data_case, 0.12),
    "train --verify": (verify_case, 0.2),
    "runs": (runs_case, 0.22),
    "tune": (search_case, 0.06),
    "sweep": (sweep_case, 0.12),
    "report": (report_case, 0.06),
}
"""What reads a case, and its share of all cases."""


def run_case(command: str, number: int) -> int:
    """Runs a case by its number; returns the exit code of the command.

    Raises:
        Failed: if it did not end as every command must.
    """
    rng = Random(f"{command} {number}")
    function, _ = CASES[command]
    with tempfile.TemporaryDirectory() as name, mock.patch.dict(os.environ):
        try:
            return function(rng, Path(name))
        finally:
            config.clear()
