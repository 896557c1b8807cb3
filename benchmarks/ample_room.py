"""How much processes reserve, as multiples of what is known without a replay.

    python benchmarks/ample_room.py [--jobs 300] [--seed 0]

Draws jobs from the catalog's models, methods, lengths and ways of sharing, and replays each without a limit. Printed is
the most that a process reserved beside what each bound begins with, as a multiple of what comes and goes, and the
multiple that `hbspec.estimators.training.replayed` allows before it replays anything but loading.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from random import Random
from typing import Any

from hbspec.catalog import catalog
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.step.job import job_of
from hbspec.estimators.training.memory import fullness, is_replayed, replays_of
from hbspec.estimators.training.replayed import AMPLE
from hbspec.plan import Plan, build_plan
from hbspec.spec import Spec

CHOICES: dict[str, tuple[Any, ...]] = {
    "method": ("full", "lora", "qlora"),
    "max_length": (256, 512, 1024, 2048, 4096),
    "per_device_batch_size": (1, 2, 4, 8),
    "gradient_accumulation_steps": (1, 4),
    "gradient_checkpointing": (True, False),
    "attn_implementation": ("eager", "sdpa", "sdpa"),
    "packing": (True, False, False),
    "optim": ("adamw_torch", "adamw_8bit", "sgd", "adafactor"),
}

BESIDE = "held", "loaded"
"""What a bound begins with (`Replays.bounds`)."""


def plans(seed: int) -> Iterator[Plan]:
    """Jobs whose tensors fit, without the limit of memory; those of which something is not known are left out."""
    draw, models = Random(seed), sorted(catalog().models)
    while True:
        model, mean = draw.choice(models), draw.choice((100, 300, 600, 1500))
        longest = int(mean * draw.choice((1, 1.5, 3, 10)))
        values = {
            "hbspec": 1,
            "name": "drawn",
            "model": {"id": model},
            "data": {"train": {"examples": draw.choice((500, 5000))}, "tokens": {"mean": mean, "max": longest}},
            "instance": {"gpu": "H100-80", "gpus": 8, "parallelism": draw.choice(("ddp", "fsdp", "single", "fsdp"))},
            "hyperparameters": {"learning_rate": 1e-4, **{key: draw.choice(some) for key, some in CHOICES.items()}},
        }
        try:
            plan = build_plan(Spec.model_validate(values), catalog(), catalog().models[model].architecture, None)
            hardware = plan.require("hardware")
            if is_replayed(job_of(plan)) and fullness(plan) < 1:
                yield plan._replace(hardware=hardware._replace(gpu=hardware.gpu._replace(usable_bytes=None)))
        except NotKnownError:
            continue


def main() -> None:
    """Print a line for rows of one length, and one for others."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    most: dict[tuple[bool, str], list[float]] = defaultdict(list)
    for _, plan in zip(range(given.jobs), plans(given.seed), strict=False):
        for found in replays_of(plan):
            reserved = found.reserved().high - found.unknown
            for beside, (kept, passing) in zip(BESIDE, found.apart(), strict=True):
                most[found.alike, beside].append((reserved - kept) / passing)
    for (alike, beside), multiples in sorted(most.items()):
        rows, largest = "one length" if alike else "varying lengths", max(multiples)
        allowed = AMPLE[alike][BESIDE.index(beside)]
        print(
            f"rows of {rows}, beside what is {beside}: {len(multiples)} GPUs, at most {largest:.2f} times ({allowed})"
        )


if __name__ == "__main__":
    main()
