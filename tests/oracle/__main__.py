"""Traces cases of training: `python -m oracle CASE`, with `tests` on the path."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import warnings
from typing import Any

warnings.simplefilter("ignore")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

from oracle.case import Case  # noqa: E402
from oracle.grid import fast, whole  # noqa: E402
from oracle.record import recorded, stable, trace_all, versions, write  # noqa: E402

BATCH = 20
"""Traces between two writes of the file."""


def main() -> int:
    """The command line; 1 where a trace is not the recorded one or the closed form is off."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    parser = argparse.ArgumentParser(prog="oracle", description=__doc__)
    parser.add_argument("case", nargs="*", help="model,key=value,…")
    parser.add_argument("--real", action="store_true", help="on real CPU tensors")
    parser.add_argument("--dump", nargs=2, metavar=("CASE", "PHASE"), help="what is alive at a phase's peak")
    parser.add_argument("--layers", action="store_true", help="--dump tells the layers apart")
    parser.add_argument("--events", metavar="CASE", help="the timeline of one layer, or of --around MODULE")
    parser.add_argument("--around", help="module path of --events; '' is everything")
    parser.add_argument("--phases", default="forward,loss,backward,end,optimizer", help="phases of --events")
    parser.add_argument("--check", action="store_true", help="traces the grid again and compares")
    parser.add_argument("--update", nargs="?", const="", metavar="TEXT", help="traces the cases with TEXT and writes")
    parser.add_argument("--fast", action="store_true", help="--check: only the small cases")
    parser.add_argument("--compare", nargs="?", const="", metavar="TEXT", help="closed form beside each recorded trace")
    parser.add_argument("--processes", type=int, default=2)
    given = parser.parse_args()
    if given.update is not None:
        return _update(given.update, given.processes)
    if given.check:
        return _check(fast() if given.fast else whole(), given.processes)
    if given.compare is not None:
        _compare([(case, entry) for case, entry in recorded()[1].items() if given.compare in case.text])
    from oracle.terminal import show

    show(given)
    return 0


def _update(text: str, processes: int) -> int:
    grid = whole()
    chosen = [case for case in grid if text in case.text]
    found, failed = recorded()[1], 0
    for done, (case, entry) in enumerate(trace_all(chosen, processes), 1):
        print(f"{done} of {len(chosen)}: {case.text}", flush=True)
        if isinstance(entry, str):
            failed += 1
            print(f"  {entry}", flush=True)
        else:
            found[case] = entry
        if done % BATCH == 0 or done == len(chosen):
            write((case, found[case]) for case in grid if case in found)
    return int(failed > 0)


def _check(cases: list[Case], processes: int) -> int:
    made, known = recorded()
    traced, different = [], 0
    for case, entry in trace_all(cases, processes):
        same = not isinstance(entry, str) and case in known and stable(known[case]) == stable(entry)
        if not same:
            different += 1
            print(f"differs: {case.text}\n  recorded {known.get(case)}\n  traced   {entry}", flush=True)
        if not isinstance(entry, str):
            traced.append((case, entry))
    agreed = _compare(traced)
    print(f"{different} of {len(cases)} traces are not those of {made}; installed: {versions()}")
    return int(different > 0 or not agreed)


def _compare(traced: list[tuple[Case, dict[str, Any]]]) -> bool:
    """Prints the closed form's bytes and operations beside the traces'; whether all are within their limits."""
    from oracle import agreement, operations

    held = [agreement.agreement(case, entry) for case, entry in traced]
    counted = [operations.operations(case, entry) for case, entry in traced]
    print("\n".join([*agreement.table(held), *operations.table(counted)]))
    near = all(abs(one.error) <= agreement.LIMIT for one in held)
    return near and all(one.worst <= operations.LIMIT for one in counted)


if __name__ == "__main__":
    sys.exit(main())
