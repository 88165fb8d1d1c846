"""Hostile files and arguments through every command that reads any: each ends with a sentence and a documented code.

  .venv/bin/python -m tests.fuzz --cases=10000
  .venv/bin/python -m tests.fuzz --command=report --first=1234 --cases=1     one case again

A case is its command and its number, and comes out the same every time. Runs of sweeps and searches are not started:
what plans them reads the folder, and each run that it would start ends at once.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

from rethink_keras import config
from rethink_keras.commands import data, expressivity, kernel, minimum_norm, report, runs, sweep, train, tune
from rethink_keras.experiments.run_process import Outcome
from rethink_keras.reports.paper_results import PAPER_RESULTS
from tests import hostile
from tests.reports import made_sweeps as made
from tests.training.small_runs import SMALL

Random = random.Random
MOST_SECONDS = 120  # of a case
MOST_BYTES = 4 * 2**30  # of memory, so that a file without an end ends no other process of the machine
NETWORKS = ("inception", "mlp_1x512", "alexnet")
VARIANTS = ("plain", "random_labels", "random_labels+crop", "true_labels", "corruption_0.0", "corruption_0.5")
FOLDER = Path(__file__).parents[1] / "gin"
GIN = sorted(FOLDER.rglob("*.gin"))


class Failed(AssertionError):
    """A case did not end as every command must."""


def run(main: Callable[[list[str]], int], *arguments: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command in this process, on streams that refuse what is no Unicode."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["command", *arguments])
        out.flush()
        err.flush()
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]  # type: ignore[attr-defined]
    return code, texts[0], texts[1]


def check(codes: set[int], code: int, out: str, err: str) -> None:
    """Raises Failed unless a command ended as documented: a code of its own, a sentence, nothing that acts."""
    if "Traceback" in err or "should not have happened" in err:
        raise Failed(err)
    if code not in codes:
        raise Failed(f"exit code {code}: {err}")
    if bool(code) != bool(err):
        raise Failed(f"exit code {code} and on stderr: {err!r}")
    if code and len(err) < 10:
        raise Failed(f"no sentence: {err!r}")
    for text in (out, err):
        if acting := {character for character in text if not character.isprintable()} - {"\n", "\t", "\r"}:
            raise Failed(f"{acting} in {text!r}")


def report_case(rng: Random, folder: Path) -> int:
    """A report with pictures and page."""
    made_up(rng, folder / "runs")
    code, out, err = run(report.main, f"--workdir={folder / 'runs'}", f"--output={folder / 'out'}")
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
    made_up(rng, folder / "runs")
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
    code, out, err = run(runs.main, *arguments)
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
            fingerprints=prints(rng),
        )
        if rng.random() < 0.4:
            damage_run(rng, place)
        places.append(place)
    code, out, err = run(train.main, f"--workdir={places[0]}", f"--verify={places[1]}")
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
        code, out, err = run(sweep.main, *arguments)
        check({7}, code, out, err)
        for plan in ("mlp/plain/seed_0", "mlp/crop/seed_0"):
            if rng.random() < 0.7:
                place = _filled(rng, there / plan)
                if rng.random() < 0.7:
                    damage_run(rng, place)
        if rng.random() < 0.6:
            hostile.damage_json(rng, there / "sweep.json")
        if rng.random() < 0.3:
            arguments.append(f"--gin_param={odd_binding(rng, SWEEP_NAMES)}")
        if rng.random() < 0.5:
            arguments.append("--dry_run")
        code, out, err = run(sweep.main, *arguments)
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
        _filled(rng, job.workdir)
        if rng.random() < 0.3:
            damage_run(rng, job.workdir)
        return Outcome(job.name, rng.choice((0, 0, 0, 1, 4)), "It has ended.", 1)

    with mock.patch("rethink_keras.experiments.searches.worker.run_job", trial):
        arguments = [f"--gin_file={gin_file}", f"--workdir={there}", "--gin_param=local.jobs = 1"]
        code, out, err = run(tune.main, *arguments)
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
        code, out, err = run(tune.main, *arguments)
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
    code, out, err = run(command.main, *arguments)
    check({0, 2}, code, out, err)
    return code


def data_case(rng: Random, folder: Path) -> int:
    """Odd settings through the export of digits."""
    output = f"--output={folder / 'x.npz'}"
    arguments = [f"--gin_param={binding}" for binding in (*SMALL, odd_binding(rng, DATA_NAMES))]
    if rng.random() < 0.3:
        arguments.append(f"--gin_param={odd_binding(rng, DATA_NAMES)}")
    code, out, err = run(data.main, "export", output, *arguments)
    check({0, 2, 3}, code, out, err)
    return code


DATA_NAMES = (
    *("dataset.name", "dataset.train_examples", "dataset.test_examples", "preprocessing.crop", "train.seed"),
    *(
        "preprocessing.normalization",
        "randomization.labels",
        "randomization.pixels",
        "randomization.corruption",
    ),
    *(
        "randomization.fraction",
        "randomization.permute",
        "randomization.seed",
        "randomization.randomize_test_labels",
    ),
)
SWEEP_NAMES = (
    *(
        "sweep.paper_result",
        "sweep.size",
        "sweep.title",
        "sweep.groups",
        "sweep.overlays",
        "sweep.seeds",
        "sweep.threads",
    ),
    *("sweep.retries", "sweep.engine", "mlp/group.network", "mlp/group.base", "mlp/group.axes", "local.jobs"),
    *("train.epochs", "local.runs_per_gpu"),
)
SEARCH_NAMES = (
    *("search.title", "search.base", "search.algorithm", "search.objective", "search.trials", "search.seed"),
    *("search.run_seed", "search.threads", "search.retries", "search.patience_minutes", "space.choice"),
    *("space.uniform", "space.log_uniform", "space.integer", "bayesian.exploration", "hyperband.factor"),
)
COMMANDS: tuple[tuple[Any, str], ...] = (
    *((train, "table1_"), (train, "with/"), (kernel, "section5_mnist"), (expressivity, "section4_")),
    (minimum_norm, "section5_minimum_norm"),
)
"""Commands that take gin files, and what the names of theirs begin with."""
NAMES = (
    *DATA_NAMES,
    *SWEEP_NAMES,
    *SEARCH_NAMES,
    "train.model",
    "train.epochs",
    "mlp.hidden",
    "mlp.gain",
    "os.system",
)
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


def made_up(rng: Random, folder: Path) -> None:
    """A folder of sweeps and runs, some of them damaged."""
    for _ in range(rng.choice((1, 1, 2))):
        paper_result = rng.choice((*PAPER_RESULTS, "own", hostile.text(rng)))
        names = [
            (
                rng.choice(NETWORKS) if rng.random() < 0.8 else hostile.text(rng),
                rng.choice(VARIANTS) if rng.random() < 0.8 else hostile.text(rng),
            )
            for _ in range(rng.choice((1, 2)))
        ]
        place = folder / hostile.folder_name(rng)
        if place.exists():
            continue
        _sweep(rng, place, paper_result, names)
    for _ in range(rng.choice((0, 1, 2))):
        _filled(rng, folder / hostile.folder_name(rng) / hostile.folder_name(rng))
    for path in sorted(folder.rglob("summary.json")):
        if rng.random() < 0.4:
            damage_run(rng, path.parent)


def damage_run(rng: Random, place: Path) -> None:
    """Damages one file or more of a run."""
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice(
            ("summary.json", "summary.json", "metrics.csv", "metrics.csv", "config.gin", "failed.txt")
        )
        path = place / name
        if name == "failed.txt" and not os.path.lexists(path):
            path.write_bytes(hostile.text(rng).encode("utf-8", "surrogatepass"))
        if path.is_symlink() or not path.is_file() or path.stat().st_size > 2**20:
            continue
        try:
            {"summary.json": hostile.damage_json, "metrics.csv": hostile.damage_table}.get(
                name, hostile.damage_bytes
            )(rng, path)
        except (ValueError, IndexError, RecursionError):  # it was damaged before
            hostile.damage_bytes(rng, path)


def prints(rng: Random) -> dict[str, str]:
    """Fingerprints of a run; the same but now and then."""
    names = ("train_data", "test_data", "randomization", "epoch_order", "weights")
    return {name: "0" if rng.random() < 0.97 else hostile.text(rng) for name in names if rng.random() < 0.99}


def odd_binding(rng: Random, names: tuple[str, ...] = NAMES) -> str:
    """A gin binding that no gin file of ours has."""
    return f"{rng.choice(names)} = {hostile.gin_value(rng)}"


def _sweep(rng: Random, place: Path, paper_result: str, names: list[tuple[str, str]]) -> None:
    """A sweep of such networks and variants, which may be no names of folders."""
    plans = []
    for network, variant in dict.fromkeys(names):
        for seed in range(rng.choice((1, 2))):
            plan = made.plan(network, variant, seed)
            object.__setattr__(
                plan, "name", f"{len(plans)}/{plan.name}" if rng.random() < 0.2 else f"run{len(plans)}"
            )
            plans.append(plan)
    made.sweep(place, paper_result, plans, rng.choice(("full", "full", "small", hostile.text(rng))))
    for plan in plans:
        with contextlib.suppress(OSError, ValueError):  # its name is no folder's
            epochs = rng.choice((0, 1, 4))
            status = "done" if epochs else rng.choice(("running", "interrupted", "diverged"))
            made.run(place, plan, made.rows(epochs, (rng.random(), rng.random()), fit=epochs or None), status)
    if rng.random() < 0.3:
        hostile.damage_json(rng, place / "sweep.json")


def _filled(rng: Random, place: Path) -> Path:
    """A workdir with a run in the place of another one."""
    epochs = rng.choice((0, 1, 3, 3))
    status = rng.choice(("done", "done", "running", "interrupted", "diverged")) if epochs else "running"
    with tempfile.TemporaryDirectory() as name:
        made_run = made.run(Path(name), made.plan("mlp", "plain"), made.rows(epochs, (1.0, 0.5)), status)
        place.mkdir(parents=True, exist_ok=True)
        for path in made_run.iterdir():
            target = place / path.name
            if not target.exists() and not target.is_symlink():
                target.write_bytes(path.read_bytes())
    return place


def _ended_at_once(job: Any, *_: Any) -> Outcome:
    """In place of `process.run_job`: no run comes to anything."""
    return Outcome(job.name, 1, "It has ended.", 1)


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


def _too_long(*_: Any) -> None:
    raise Failed(f"It takes more than {MOST_SECONDS} seconds.")


def main() -> int:
    """Runs cases of all commands, prints what came of them, and ends with 1 if any failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=10_000, help="how many, over all commands")
    parser.add_argument("--command", choices=sorted(CASES), help="only these")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    values = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    signal.signal(signal.SIGALRM, _too_long)
    shares = {values.command: 1.0} if values.command else {name: share for name, (_, share) in CASES.items()}
    print(f"{'command':<16}{'cases':>7}{'failed':>8}{'seconds':>9}  exit codes")
    failed = 0
    for command, share in shares.items():
        codes: Counter[int] = Counter()
        failures = []
        begin = time.monotonic()
        for number in range(values.first, values.first + round(share * values.cases)):
            signal.alarm(MOST_SECONDS)
            try:
                codes[run_case(command, number)] += 1
            except (Exception, SystemExit) as error:
                failures.append((number, f"{type(error).__name__}: {error}"))
            finally:
                signal.alarm(0)
        seconds = time.monotonic() - begin
        cases = sum(codes.values()) + len(failures)
        shown = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items()))
        print(f"{command:<16}{cases:>7}{len(failures):>8}{seconds:>9.0f}  {shown}", flush=True)
        distinct = {what: number for number, what in reversed(failures)}  # the first case of each
        for what, number in sorted(distinct.items(), key=lambda item: item[1])[:20]:
            print(f"  --command={command!r} --first={number} --cases=1: {ascii(what)[:600]}", flush=True)
        failed += len(failures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
