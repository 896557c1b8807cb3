"""How well the errors of two estimates of a step agree, by what the two jobs have in common.

    python benchmarks/shared_errors.py MEASURED.csv [MORE.csv …]

Every pair of rows of one source that `benchmarks/measured/fitted_speed.json` holds: the ratio of the two errors
(measured over estimated seconds), larger over smaller. Sources weigh the same, but those with few rows less, as in the
fit. `hbspec.comparison.kinship.ALIKE` is the second line's 90 %.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import combinations
from math import exp, log
from pathlib import Path

from measured.quantile import quantile
from measured.row import Row, TableError, read_rows
from measured.speed import FEW, Observation, values_of

from hbspec.estimators.constants import STEP

FITTED = Path(__file__).parent / "measured" / "fitted_speed.json"
ALIKE = ("gpu", "model_id", "method", "quant", "framework", "parallelism")
SHARES = (0.5, 0.9, 0.95)
GROUPS: dict[str, Callable[[Row], tuple[str, ...]]] = {
    "any rows": lambda _: (),
    "the same GPU, model, method, quantisation, trainer and parallelism": lambda row: tuple(row[it] for it in ALIKE),
}


def main() -> None:
    """Prints a line for each group."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path, metavar="CSV")
    try:
        rows = {row["id"]: row for row in read_rows(parser.parse_args().files)}
    except TableError as wrong:
        sys.exit(f"shared_errors.py: {wrong}")
    values = values_of(STEP)
    fitted = [Observation.of(entry) for entry in json.loads(FITTED.read_text(encoding="utf-8"))]
    errors = {one.id: log(one.seconds / one.estimated(values)) for one in fitted if one.id in rows}
    if not errors:
        sys.exit("shared_errors.py: no row of these files is among the fitted ones")
    print(f"{len(errors)} rows")
    for name, group in GROUPS.items():
        ratios = weighed(rows, errors, group)
        logs, weights = [ratio for ratio, _ in ratios], [weight for _, weight in ratios]
        found = ", ".join(f"{share:.0%} within {exp(quantile(logs, weights, share) or 0):.2f}" for share in SHARES)
        print(f"{name}: {len(ratios):,} pairs, {found}")


def weighed(
    rows: dict[str, Row], errors: dict[str, float], group: Callable[[Row], tuple[str, ...]]
) -> list[tuple[float, float]]:
    """The logarithm of each pair's ratio, with the pair's weight."""
    groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for identity in errors:
        groups[(rows[identity].source, *group(rows[identity]))].append(identity)
    by_source: dict[str, list[float]] = defaultdict(list)
    for (source, *_), members in groups.items():
        by_source[source] += _ratios(errors[member] for member in members)
    return [(ratio, min(1, len(of) / FEW) / len(of)) for of in by_source.values() for ratio in of]


def _ratios(errors: Iterable[float]) -> Iterable[float]:
    return [abs(one - other) for one, other in combinations(errors, 2)]


if __name__ == "__main__":
    main()
