"""How near the product's estimates of endpoints come to endpoints that ran.

    python benchmarks/serving.py [--errors] [--shipped] [--fit]

Scored is `hbspec.estimators.serving`, which rules, claims and `hbspec estimate` use: the tokens of the KV cache (vLLM's
"GPU KV cache size"), the time to the first token and the time of each further token, by engine and generation. The
constants for a source's rows are fitted without it. The
tables are in `benchmarks/measured/cache_lines.csv` and `sweeps.csv`, each row with its source.
"""

from __future__ import annotations

import argparse
import sys

from measured.product import judged
from measured.served_fit import fitted_engine, fitted_served
from measured.served_score import lines


def main() -> int:
    """Prints the score of the project's own tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--errors", action="store_true", help="print every measured value beside its estimate")
    parser.add_argument("--fit", action="store_true", help="fit the constants to all rows and print them")
    parser.add_argument("--shipped", action="store_true", help="score the shipped constants, which saw every row")
    asked = parser.parse_args()
    if asked.fit:
        print(*fitted_engine()._asdict().items(), *fitted_served()._asdict().items(), sep="\n")
        return 0
    found = judged() if asked.shipped else judged(fitted_engine, fitted_served)
    print("\n".join(lines(found, errors=asked.errors)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
