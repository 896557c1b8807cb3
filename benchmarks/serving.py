"""How near the product's estimates of endpoints come to endpoints that ran.

    python benchmarks/serving.py [--errors]

Scored is `hbspec.estimators.serving`, which rules, claims and `hbspec estimate` use: the tokens of the KV cache (vLLM's
"GPU KV cache size"), the time to the first token and the time of each further token, by engine and generation. The
tables are in `benchmarks/measured/cache_lines.csv` and `sweeps.csv`, each row with its source.
"""

from __future__ import annotations

import argparse
import sys

from measured.product import judged
from measured.served_score import lines


def main() -> int:
    """Prints the score of the project's own tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--errors", action="store_true", help="print every measured value beside its estimate")
    asked = parser.parse_args()
    print("\n".join(lines(judged(), errors=asked.errors)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
