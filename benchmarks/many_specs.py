"""How long it takes to judge many specs that all differ, as a ratio to a process that does next to nothing.

    python benchmarks/many_specs.py [--specs 1000]

Every spec has another model, instance type and length of examples, so that nothing that one leaves in memory is the
whole answer to the next. One core, one process, what is imported and read once included.
"""

from __future__ import annotations

import argparse
import sys
from itertools import count, islice, product
from statistics import median
from time import perf_counter
from typing import Any

from speed import BASELINE, BASELINE_CODE, seconds

AIM = 20


def specs() -> list[dict[str, Any]]:
    """Models, GPU types and lengths, in an order in which neighbours share nothing."""
    from hbspec.catalog import catalog

    known = catalog()
    types = sorted(name for name in known.training_types if known.instances.get(name) and known.instances[name].gpus)
    every = list(product(sorted(known.models), types))
    chosen = (every[number * 7919 % len(every)] for number in count())
    return [_spec(number, *pair) for number, pair in zip(range(10_000), chosen, strict=False)]


def _spec(number: int, model: str, instance_type: str) -> dict[str, Any]:
    return {
        "hbspec": 1,
        "name": f"spec-{number}",
        "model": {"id": model},
        "instance": {"type": instance_type, "region": "us-east-1", "parallelism": "ddp"},
        "data": {"train": {"examples": 1000 + number}, "tokens": {"mean": 200 + number % 700, "max": 1000 + number}},
        "hyperparameters": {
            "method": ("qlora", "lora")[number % 2],
            "max_length": 512 + 64 * (number % 24),
            "learning_rate": 1e-4,
            "per_device_batch_size": 1 + number % 4,
        },
    }


def main() -> None:
    """Prints one line for the baseline and one for all specs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--specs", type=int, default=1000)
    number = parser.parse_args().specs
    base = median(seconds([sys.executable, "-c", BASELINE_CODE]) for _ in range(7))
    start = perf_counter()
    from hbspec import check

    reports = [check(spec) for spec in islice(specs(), number)]
    took = perf_counter() - start
    findings = sum(len(report.diagnostics) for report in reports)
    if any(entry.code < "HB1" for report in reports for entry in report.diagnostics):
        sys.exit("a spec was refused before it was judged")
    print(f"{BASELINE}: {1000 * base:.0f} ms")
    print(f"{number:,} specs, {findings:,} findings: {took:.1f} s, {took / base:.0f} times as long (aim: {AIM})")


if __name__ == "__main__":
    main()
