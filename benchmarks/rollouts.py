"""Estimates of GRPO beside what was published of it.

    python benchmarks/rollouts.py

Prints every row of `benchmarks/measured/rollouts.csv`: where it can be compared, with the estimate and the deviation of
its expected value; else with the reason. Memory is that of torch's tensors on one GPU, in GiB. A `steady` row is what
lasts between updates, with the weights of a vLLM beside it but not its cache; a `peak` row the largest moment of an
update, likewise. No row of time says all that an estimate of it follows from.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from hbspec.catalog import catalog
from hbspec.estimators.serving.generating import engine_room
from hbspec.estimators.step.moments import LASTING
from hbspec.estimators.step.rollouts import ENGINE
from hbspec.estimators.training.by_moment import by_moment
from hbspec.plan import Plan, build_plan
from hbspec.spec import Spec
from hbspec.units import GIB

TABLE = Path(__file__).parent / "measured" / "rollouts.csv"
UNCOMPARED = "no"
PASSING = frozenset({"gradients", "workspaces"})
"""Terms that last during an update only."""


def plan_of(row: Mapping[str, str]) -> Plan:
    """The plan of a job that does what a row says."""
    completion, prompt = int(row["max_completion_length"]), int(row["prompt"])
    spec = Spec.model_validate(
        {
            "hbspec": 1,
            "name": row["id"],
            "task": "grpo",
            "model": {"id": row["model"]},
            "data": {"type": "prompt_only", "train": {"examples": 1000}, "tokens": {"mean": prompt, "max": prompt}},
            "instance": {"gpu": row["gpu"], "gpus": 1, "parallelism": "single"},
            "script": {"source_dir": ".", "entry_point": "train.py"},
            "hyperparameters": {
                "method": row["method"],
                "learning_rate": 1e-6,
                "max_steps": 10,
                "per_device_batch_size": int(row["per_device_batch_size"]),
                "gradient_accumulation_steps": int(row["gradient_accumulation_steps"]),
                "max_length": prompt + completion,
                "num_generations": int(row["num_generations"]),
                "max_completion_length": completion,
                "attn_implementation": "flash_attention_2",
                "use_vllm": True,
                "vllm_gpu_memory_utilization": float(row["vllm_share"]),
            },
        }
    )
    return build_plan(spec, catalog(), catalog().models[row["model"]].architecture, None)


def estimated(row: Mapping[str, str]) -> float:
    """GiB of the tensors of a row, without the cache of its vLLM."""
    plan = plan_of(row)
    rollouts = plan.training.rollouts
    assert rollouts is not None
    beside = engine_room(plan, rollouts).weights
    updates = [one.terms for one in by_moment(plan)[0] if one.name not in ("load", "generation", "scoring")]
    own = [{name: size for name, size in terms.items() if name != ENGINE} for terms in updates]
    if row["what"] == "steady":
        own = [{name: terms[name] for name in terms if name in LASTING - PASSING} for terms in own]
        return (min(sum(terms.values()) for terms in own) + beside) / GIB
    return (max(sum(terms.values()) for terms in own) + beside) / GIB


def lines() -> Iterator[str]:
    """One row after another."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["usable"].startswith(UNCOMPARED + ":"):
                yield f"{row['id']:12} not compared   {row['usable']}  ({row['source']})"
                continue
            found, least, most = estimated(row), float(row["least_gib"]), float(row["most_gib"])
            said = f"{least:.2f}" if least == most else f"{least:.2f} to {most:.2f}"
            yield (
                f"{row['id']:12} {row['what']:7} estimated {found:.2f} GiB, measured {said} "
                f"({found / most - 1:+.1%} of the most)  {row['usable']}  ({row['source']})"
            )


if __name__ == "__main__":
    print("\n".join(lines()))
