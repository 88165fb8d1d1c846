"""Hostile files and arguments through every command that reads any: each ends with a sentence and a documented code.

  .venv/bin/python -m tests.fuzz --cases=10000
  .venv/bin/python -m tests.fuzz --command=report --first=1234 --cases=1     one case again

A case is a command and a number, and is the same every time. Runs of sweeps and searches are not started: the planning
reads the folder, and each run that would start ends at once.
"""

from __future__ import annotations

import argparse
import resource
import signal
import sys
import time
from collections import Counter
from typing import Any

from tests.fuzz import cases
from tests.fuzz.outcome import Failed

MOST_SECONDS = 120  # of a case
MOST_BYTES = 4 * 2**30  # of memory, so that a file without an end ends no other process of the machine


def _too_long(*_: Any) -> None:
    raise Failed(f"It takes more than {MOST_SECONDS} seconds.")


def main() -> int:
    """Runs cases of all commands, prints what came of them, and ends with 1 if any failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, default=10_000, help="how many, over all commands")
    parser.add_argument("--command", choices=sorted(cases.CASES), help="only these")
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    values = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_BYTES, MOST_BYTES))
    signal.signal(signal.SIGALRM, _too_long)
    shares = (
        {values.command: 1.0} if values.command else {name: share for name, (_, share) in cases.CASES.items()}
    )
    print(f"{'command':<16}{'cases':>7}{'failed':>8}{'seconds':>9}  exit codes")
    failed = 0
    for command, share in shares.items():
        codes: Counter[int] = Counter()
        failures = []
        begin = time.monotonic()
        for number in range(values.first, values.first + round(share * values.cases)):
            signal.alarm(MOST_SECONDS)
            try:
                codes[cases.run_case(command, number)] += 1
            except (Exception, SystemExit) as error:
                failures.append((number, f"{type(error).__name__}: {error}"))
            finally:
                signal.alarm(0)
        seconds = time.monotonic() - begin
        count = sum(codes.values()) + len(failures)
        shown = ", ".join(f"{code}: {count}" for code, count in sorted(codes.items()))
        print(f"{command:<16}{count:>7}{len(failures):>8}{seconds:>9.0f}  {shown}", flush=True)
        distinct = {what: number for number, what in reversed(failures)}  # the first case of each
        for what, number in sorted(distinct.items(), key=lambda item: item[1])[:20]:
            print(f"  --command={command!r} --first={number} --cases=1: {ascii(what)[:600]}", flush=True)
        failed += len(failures)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
