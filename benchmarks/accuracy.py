"""How near the estimates come to what people measured and published.

    python benchmarks/accuracy.py MEASURED.csv [MORE.csv …] [--json] [--errors] [--fit KIND]

Each row of a file becomes a spec, a plan and an estimate (`benchmarks/measured/`); what cannot be expressed is counted
with its reason. Constants that are fitted are refitted without the source that is scored, from the observations in
`benchmarks/measured/fitted_*.json`, so that every figure is one for a source that they never saw. `--fit memory`,
`speed` or `serving` takes the observations of that kind from the files instead, writes them there, and prints the
constants for `hbspec.estimators.constants` and `hbspec.estimators.serving.constants`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from measured.fitted import Observed, fit, left_out, observed, record, recorded
from measured.fitting import KINDS
from measured.judged import judge
from measured.row import Row, TableError, read_rows
from measured.score import score
from measured.serving_fit import constants_text
from measured.speed import START
from measured.table import errors, lines

from hbspec.units import Interval

WRONG_INPUT = 2


def main() -> int:
    """Prints the score of some files; 2 where one of them is not a table of measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="CSV")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--errors", action="store_true", help="print every measured value beside its estimate")
    parser.add_argument("--fit", choices=Observed._fields, help="fit these constants to the files and print them")
    asked = parser.parse_args()
    try:
        rows = read_rows(asked.files)
    except TableError as wrong:
        print(f"accuracy.py: {wrong}", file=sys.stderr)
        return WRONG_INPUT
    if asked.fit:
        return _fit(rows, asked.fit)
    judged = judge(rows, left_out(recorded()))
    if asked.json:
        print(json.dumps(score(judged), indent=2))
    else:
        print("\n".join(errors(judged) if asked.errors else lines(judged, score(judged))))
    return 0


def _fit(rows: tuple[Row, ...], kind: str) -> int:
    found = recorded()._replace(**{kind: getattr(observed(rows), kind)})
    record(found)
    constants = fit(found)
    if kind == "memory":
        _print(constants.memory, KINDS)
    elif kind == "speed":
        _print(constants.step, (*START, "error"))
    else:
        print(constants_text(constants.serving))
    return 0


def _print(constants: NamedTuple, names: Iterable[str]) -> None:
    for name in names:
        value = getattr(constants, name)
        print(f"    {name}={_text(value) if isinstance(value, Interval) else value},")


def _text(interval: Interval) -> str:
    return f"Interval({interval.low:.4g}, {interval.expected:.4g}, {interval.high:.4g})"


if __name__ == "__main__":
    sys.exit(main())
