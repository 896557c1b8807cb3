"""How exact, fast and lean the search for the best plan is.

    python benchmarks/optimizing.py                    # 200 random grids, each against every plan of it
    python benchmarks/optimizing.py --grids 20 --seed 3
    python benchmarks/optimizing.py --seed-spec        # all instance types of one region, as `hbspec optimize` does
    python benchmarks/optimizing.py --wide             # the same in every region: a space of more than a million plans

Seconds are of one core; resident memory is the peak of the process.
"""

from __future__ import annotations

import argparse
import resource
import sys
from pathlib import Path
from random import Random
from time import perf_counter, process_time
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from search.enumerated import front_by_hand, front_found, space_of  # type: ignore[import-not-found]  # noqa: E402

from hbspec.search.front import front  # noqa: E402 - after the folder of the tests
from hbspec.search.request import AXES, Request  # noqa: E402

SPEC = ROOT / "specs" / "heartbeat.yaml"
MODELS = ("Qwen/Qwen2.5-0.5B", "Qwen/Qwen2.5-7B", "deepseek-ai/DeepSeek-R1-Distill-Qwen-32B")
TYPES = ("ml.g5.12xlarge", "ml.g5.2xlarge", "ml.p4d.24xlarge", "ml.g6.48xlarge", "ml.g4dn.12xlarge", "ml.g6e.12xlarge")
MOST_PLANS = 60
"""Plans of a grid, each of which is estimated and judged by hand."""


def grid(random: Random) -> tuple[dict[str, Any], Request]:
    """A random job, and the axes of it that are free."""
    job: dict[str, Any] = {
        "hbspec": 1,
        "name": "grid",
        "model": {"id": random.choice(MODELS)},
        "data": {"train": {"examples": 2000}, "tokens": {"mean": 300, "max": random.choice([600, 900])}},
        "instance": {
            "type": random.choice(TYPES),
            "region": "us-east-1",
            "parallelism": random.choice(["single", "ddp", "fsdp", "zero2"]),
            "max_runtime": random.choice(["2h", "20h"]),
        },
        "hyperparameters": {
            "learning_rate": 1e-4,
            "method": random.choice(["lora", "qlora", "full"]),
            "max_steps": 60,
            "per_device_batch_size": random.choice([1, 2, 4]),
            "gradient_accumulation_steps": random.choice([1, 2, 4]),
            "max_length": 1024,
            "save_steps": 20,
        },
    }
    if random.random() < 0.5:
        job["script"] = {"entry_point": "train.py", "source_dir": str(ROOT / "templates")}
    free = random.sample(sorted(AXES), random.choice([2, 3, 4, 5]))
    allow = frozenset(random.choice([(), (), ("tight",), ("optimizer",), ("quantization",)]))
    confidence = random.choice(["expected", "certain"])
    return job, Request(confidence=confidence, keep=frozenset(AXES) - {*free}, allow=allow, most_instances=2)


def compare(grids: int, seed: int) -> int:
    """Compare fronts with brute force; the number of grids on which they differ."""
    random, differing, done, plans, on_front = Random(seed), 0, 0, 0, 0
    spent = {"search": 0.0, "brute force": 0.0}
    while done < grids:
        job, request = grid(random)
        space = space_of(job, request)
        if not 2 <= space.plans() <= MOST_PLANS:
            continue
        end = "high" if request.confidence == "certain" else "expected"
        start = process_time()
        found = front(space)
        middle = process_time()
        by_hand = front_by_hand(space)
        spent["search"] += middle - start
        spent["brute force"] += process_time() - middle
        done, plans, on_front = done + 1, plans + space.plans(), on_front + len(found.plans)
        counted = sum(found.rejected.values()) + len(found.plans)
        if front_found(found, end) != by_hand or counted != space.plans():
            differing += 1
            print(f"differs: {job} {request}")
    print(f"{done - differing} of {done} grids equal to brute force; {plans} plans, {on_front} on fronts")
    print(", ".join(f"{name} {seconds:.1f} s" for name, seconds in spent.items()))
    return differing


def measure(spec: Any, request: Request) -> None:
    """Search one space, and print what it takes."""
    space = space_of(spec, request)
    start, begun = process_time(), perf_counter()
    found = front(space)
    took, waited = process_time() - start, perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    plans, judged, best = found.searched["plans"], found.searched["judged"], len(found.plans)
    print(f"{plans:,} plans: {plans - judged:,} pruned, {judged:,} judged, {best:,} on the front")
    print(f"{took:.1f} s of CPU ({waited:.1f} s waited), {peak:.0f} MB")
    print(", ".join(f"{reason} {number:,}" for reason, number in found.rejected.items()))


def wide() -> Request:
    """The same job in every region of the catalog, with up to 32 instances."""
    regions = space_of(SPEC, Request()).analysis.catalog.regions
    return Request(regions=regions, most_instances=32)


def main() -> int:
    """Run what is asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seed-spec", action="store_true")
    parser.add_argument("--wide", action="store_true")
    given = parser.parse_args()
    if given.seed_spec or given.wide:
        measure(SPEC, Request() if given.seed_spec else wide())
        return 0
    return 1 if compare(given.grids, given.seed) else 0


if __name__ == "__main__":
    sys.exit(main())
