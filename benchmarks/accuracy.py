"""How near the memory estimates come to what people measured and published.

    python benchmarks/accuracy.py MEASURED.csv [MORE.csv …] [--json] [--errors] [--fit]

Each row of a file becomes a spec, a plan and an estimate (`benchmarks/measured/`); what cannot be expressed is counted
with its reason. Constants that are fitted are refitted without the source that is scored, from the observations in
`benchmarks/measured/fitted.json`, so that every figure is one for a source that they never saw. `--fit` takes the
observations from the files instead, writes them there, and prints the constants for `hbspec.estimators.constants`.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from measured.fitting import KINDS, fit, left_out, observations, record, recorded
from measured.row import Row, TableError, read_rows
from measured.score import judge, score
from measured.table import errors, lines

WRONG_INPUT = 2


def main() -> int:
    """Prints the score of some files; 2 where one of them is no table of measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="CSV")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--errors", action="store_true", help="print every measured value beside its estimate")
    parser.add_argument("--fit", action="store_true", help="fit the constants to these files and print them")
    asked = parser.parse_args()
    try:
        rows = read_rows(asked.files)
    except TableError as wrong:
        print(f"accuracy.py: {wrong}", file=sys.stderr)
        return WRONG_INPUT
    if asked.fit:
        return _fit(rows)
    judged = judge(rows, left_out(recorded()))
    if asked.json:
        print(json.dumps(score(judged), indent=2))
    else:
        print("\n".join(errors(judged) if asked.errors else lines(judged, score(judged))))
    return 0


def _fit(rows: tuple[Row, ...]) -> int:
    found = observations(rows)
    record(found)
    constants = fit(found)
    for kind in KINDS:
        share = getattr(constants, kind)
        print(f"    {kind}=Interval({share.low}, {share.expected}, {share.high}),")
    return 0


if __name__ == "__main__":
    sys.exit(main())
