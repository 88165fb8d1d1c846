"""Folders of sweeps and runs, some of them damaged."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from random import Random

from rethink_keras.reports.paper_results import PAPER_RESULTS
from tests.fuzz import contents
from tests.reports import made_sweeps as made

NETWORKS = ("inception", "mlp_1x512", "alexnet")
VARIANTS = ("plain", "random_labels", "random_labels+crop", "true_labels", "corruption_0.0", "corruption_0.5")


def folder_of_runs(rng: Random, folder: Path) -> None:
    """A folder of sweeps and runs, some of them damaged."""
    for _ in range(rng.choice((1, 1, 2))):
        paper_result = rng.choice((*PAPER_RESULTS, "own", contents.text(rng)))
        names = [
            (
                rng.choice(NETWORKS) if rng.random() < 0.8 else contents.text(rng),
                rng.choice(VARIANTS) if rng.random() < 0.8 else contents.text(rng),
            )
            for _ in range(rng.choice((1, 2)))
        ]
        place = folder / contents.folder_name(rng)
        if place.exists():
            continue
        _sweep(rng, place, paper_result, names)
    for _ in range(rng.choice((0, 1, 2))):
        filled(rng, folder / contents.folder_name(rng) / contents.folder_name(rng))
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
            path.write_bytes(contents.text(rng).encode("utf-8", "surrogatepass"))
        if path.is_symlink() or not path.is_file() or path.stat().st_size > 2**20:
            continue
        try:
            {"summary.json": contents.damage_json, "metrics.csv": contents.damage_table}.get(
                name, contents.damage_bytes
            )(rng, path)
        except (ValueError, IndexError, RecursionError):  # it was damaged before
            contents.damage_bytes(rng, path)


def fingerprints(rng: Random) -> dict[str, str]:
    """Fingerprints of a run; the same but now and then."""
    names = ("train_data", "test_data", "randomization", "epoch_order", "weights")
    return {name: "0" if rng.random() < 0.97 else contents.text(rng) for name in names if rng.random() < 0.99}


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
    made.sweep(place, paper_result, plans, rng.choice(("full", "full", "small", contents.text(rng))))
    for plan in plans:
        with contextlib.suppress(OSError, ValueError):  # its name is no folder's
            epochs = rng.choice((0, 1, 4))
            status = "done" if epochs else rng.choice(("running", "interrupted", "diverged"))
            made.run(place, plan, made.rows(epochs, (rng.random(), rng.random()), fit=epochs or None), status)
    if rng.random() < 0.3:
        contents.damage_json(rng, place / "sweep.json")


def filled(rng: Random, place: Path) -> Path:
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
