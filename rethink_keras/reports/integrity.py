"""Checks that the runs of a cell differ in their seeds only: other differences become warnings in the report."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rethink_keras.reports import paper_numbers
from rethink_keras.reports.collect import Run
from rethink_keras.workdir.configuration import bindings_of

_SEEDS = ("train.seed", "randomization.seed")
_NOT_RECORDED = "not recorded"


def of_cell(runs: Sequence[Run]) -> list[str]:
    """Returns the differences of a cell's counted runs besides their seeds, a sentence each."""
    return [*_same_seeds(runs), *_differing_data(runs), *_differing_settings(runs), *_versions(runs)]


def of_sweep(runs: Sequence[Run]) -> list[str]:
    """Returns the differences in data and versions of all runs of a table, a sentence each."""
    return [*_differing_data(runs), *_versions(runs)]


def of_other_data(runs: Iterable[Run], dataset: str) -> list[str]:
    """Returns a sentence if runs have other data than the paper, or fewer examples."""
    expected = (dataset, *paper_numbers.examples(dataset))
    for run in runs:
        actual = tuple(run.summary[name] for name in ("dataset", "train_examples", "test_examples"))
        if actual != expected:
            return [
                f"Trained on {actual[0]} with {actual[1]:,} training and {actual[2]:,} test examples, where the paper "
                f"has {expected[0]} with {expected[1]:,} and {expected[2]:,}: the difference is not judged."
            ]
    return []


def code(run: Run) -> str:
    """Returns the version of this project that made a run."""
    return run.summary["versions"].get("rethink_keras", _NOT_RECORDED)


def _same_seeds(runs: Sequence[Run]) -> list[str]:
    found = []
    pairs = [(run.summary["seed"], run.summary["randomization"].get("seed")) for run in runs]
    if len(set(pairs)) < len(pairs):
        found.append("Two runs have the same seeds: the mean counts them twice.")
    for run in runs:
        if run.plan and run.plan.seed != run.summary["seed"]:
            found.append(f"{run.name} was planned with seed {run.plan.seed} and has {run.summary['seed']}.")
    if _is_randomized(runs) and not _vary_together(pairs):
        seeds = ", ".join(f"{run}/{other}" for run, other in sorted(pairs, key=str))
        found.append(
            "The seeds of randomization vary with the seeds of the runs in some runs, and in others they do not "
            f"(run/randomization: {seeds})."
        )
    return found


def _vary_together(pairs: Sequence[tuple[Any, Any]]) -> bool:
    """Returns whether both seeds vary together, or only one of them varies."""
    of_runs, of_randomizations = zip(*pairs, strict=True)
    return of_runs == of_randomizations or len(set(of_runs)) == 1 or len(set(of_randomizations)) == 1


def _is_randomized(runs: Sequence[Run]) -> bool:
    kinds = {run.summary["randomization"].get(kind, "true") for run in runs for kind in ("labels", "pixels")}
    return bool(kinds - {"true"})


def _differing_data(runs: Sequence[Run]) -> list[str]:
    found = []
    for run in runs:
        prints = run.summary["fingerprints"]
        short = "/".join(str(prints.get(f"{split}_data", "none"))[:8] for split in ("train", "test"))
        counts = f"{run.summary['train_examples']:,} + {run.summary['test_examples']:,} examples"
        found.append(f"{run.summary['dataset']}, {counts}, {short}")
    return _differing("data", found)


def _differing_settings(runs: Sequence[Run]) -> list[str]:
    unseeded = [{k: v for k, v in run.summary["randomization"].items() if k != "seed"} for run in runs]
    found = _differing("randomization", [json.dumps(options, sort_keys=True) for options in unseeded])
    bound = [bindings_of(run.config) for run in runs]
    names = sorted({name for bindings in bound for name in bindings} - set(_SEEDS))
    other = [name for name in names if len({bindings.get(name) for bindings in bound}) > 1]
    if found:
        other = [name for name in other if not name.startswith("randomization.")]
    if other:
        found.append(f"The runs differ in their configuration: {', '.join(other)}.")
    return found


def _versions(runs: Sequence[Run]) -> list[str]:
    """Returns the versions in which runs differ, and the runs that were resumed under other versions."""
    found = _differing("code version", [code(run) for run in runs])
    for name in sorted({name for run in runs for name in run.summary["versions"]} - {"rethink_keras"}):
        versions = [run.summary["versions"].get(name, _NOT_RECORDED) for run in runs]
        found += _differing(f"version of {name}", versions)
    for run in runs:
        computed_by = run.summary.get("computed_by", [])
        for name in sorted({name for part in computed_by for name in part}):
            versions = list(dict.fromkeys(part.get(name, _NOT_RECORDED) for part in computed_by))
            if len(versions) > 1:
                what = "code versions" if name == "rethink_keras" else f"versions of {name}"
                found.append(f"{run.name} was computed by several {what}: {', then '.join(versions)}.")
    return found


def _differing(what: str, values: Sequence[str]) -> list[str]:
    return [f"The runs differ in their {what}: {counted(Counter(values))}."] if len(set(values)) > 1 else []


def counted(counts: Counter[str]) -> str:
    """Returns each value with the number of runs that have it, or the value that all runs have."""
    if len(counts) == 1:
        return next(iter(counts))
    return "; ".join(
        f"{value} ({count} {'run' if count == 1 else 'runs'})" for value, count in sorted(counts.items())
    )
