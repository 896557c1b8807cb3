"""How long the suites of an evaluation take to make their items and to score answers, and what a data split holds.

    python benchmarks/suite_items.py [--items 10000] [--data ../shared/data/heartbeat]

Each generated suite makes its items and scores as many answers of usual length, with reasoning before them. Time is the
processor's. With `--data`, the suite tool-usage reads `validation.jsonl` and `train.jsonl` of that folder. Exit code 1:
the problems of mathematical-accuracy take more than 5 seconds for 10,000.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from fractions import Fraction
from pathlib import Path
from time import process_time
from typing import Any

from hbspec.suites import GENERATED, Item, suite

AIM_SECONDS = 5.0
AIM_ITEMS = 10_000
REASONING = "We add the attempts: 31 + 12 + 9 = 52, and then divide, which gives about 53.4 %. Let me check.\n" * 40


def answer(item: Item) -> str:
    """The right numbers behind four thousand characters of reasoning."""
    values = {step["label"]: step["number"] for step in item.reference.get("steps", [])}
    lines = [f"{label}: {float(Fraction(number)):.4f}" for label, number in values.items()]
    last = f"Answer: {float(Fraction(item.reference['number'])):.4f}"
    return "\n".join([f"<think>{REASONING}</think>We say", *lines, last])


def generated(count: int) -> bool:
    """Prints a line for each generated suite; whether the aim is met."""
    is_met = True
    for name in GENERATED:
        found = suite(name)
        begun = process_time()
        items = list(found.items(1, count))
        made = process_time()
        right = sum(found.score(item, answer(item)).right for item in items)
        scored = process_time()
        print(
            f"{name}: {count:,} items in {made - begun:.2f} s, {count:,} answers scored in {scored - made:.2f} s "
            f"({right:,} right), digest {found.digest[:12]}"
        )
        is_met &= name != "mathematical-accuracy" or (made - begun) * AIM_ITEMS / count <= AIM_SECONDS
    return is_met


def of_data(folder: Path) -> None:
    """Prints what the suite tool-usage makes of a split."""
    found: Any = suite("tool-usage", folder)
    faults = ", ".join(f"{len(lines)} {kind}" for kind, lines in found.faults.items()) or "none"
    seen = Counter(item.reference["seen"] for item in found.prompts)
    depths = Counter(
        len(item.reference["other_depths"]) > 0 or len(item.reference["tools"]) > 1 for item in found.prompts
    )
    strict = sum(_most_common_of_its_system(found, item) in item.reference["tools"] for item in found.prompts)
    print(
        f"tool-usage: {len(found.prompts)} prompts ({seen[True]} seen in training, {seen[False]} not), "
        f"{len({item.template for item in found.prompts})} templates; lines left out: {faults}"
    )
    print(
        f"  {depths[True]} prompts have more than one right depth; by the system message alone {found.baseline:.1%} "
        f"are right, {strict / len(found.prompts):.1%} if only the data's own depths counted"
    )


def _most_common_of_its_system(found: Any, item: Item) -> list[str]:
    """The tools that most prompts with the same system message show."""
    alike = [other for other in found.prompts if other.messages[0] == item.messages[0]]
    counted = Counter(tuple(tools) for other in alike for tools in other.reference["tools"])
    return [*counted.most_common(1)[0][0]]


def main() -> int:
    """Prints the figures; the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--items", type=int, default=AIM_ITEMS)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    is_met = generated(options.items)
    if options.data is not None:
        of_data(options.data)
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
