"""What a first job settles: length cap and batch by its data, its plan by the search, limits by its estimates."""

from __future__ import annotations

from decimal import ROUND_CEILING
from math import ceil, log2

from hbspec.analysis import Analysis
from hbspec.analysis.change import Settings
from hbspec.estimators.job.cost import affordable_seconds, most_it_can_cost
from hbspec.estimators.job.runtime import running_seconds
from hbspec.search.optimize import Optimum
from hbspec.search.written import duration, written
from hbspec.units import GB, HOUR, Money

EFFECTIVE, UPDATES = 16, 10
"""Examples of an update, unless the data are too few for so many updates an epoch."""
TILE = 64
"""Tokens of which `max_length` is a multiple: the tile of the usual attention kernels."""
MINUTE = 60


def of_data(analysis: Analysis) -> Settings:
    """The length cap and the batch that the data and the model allow, and the claim about the batch."""
    lengths, train = analysis.plan.lengths, analysis.spec.data.train
    cap = ceil(lengths.longest.high / TILE) * TILE
    if analysis.plan.architecture is not None:
        cap = min(cap, analysis.plan.architecture.max_position_embeddings)
    count = train.examples if train and train.examples else EFFECTIVE
    effective = min(EFFECTIVE, 2 ** int(log2(max(1, count / UPDATES))))
    return {
        ("hyperparameters", "max_length"): cap,
        ("hyperparameters", "gradient_accumulation_steps"): effective,
        ("expect", "training.effective_batch_size"): effective,
    }


def of_plan(optimum: Optimum) -> Settings:
    """The settings of the cheapest of the plans with the fewest warnings; there is at least one plan."""
    return written(min(optimum.front.plans, key=lambda plan: len(plan.warnings)).change)


def limits(analysis: Analysis, max_cost: Money | None) -> Settings:
    """The runtime limit, the budget, and the claims on memory and cost, from the high ends of the estimates.

    Args:
        analysis: the spec with its plan.
        max_cost: the most that the job may cost; None where that follows from the plan.
    """
    limit = ceil(running_seconds(analysis.time).high / HOUR) * HOUR
    if max_cost is not None:
        limit = min(limit, float(affordable_seconds(analysis.plan, max_cost)) // MINUTE * MINUTE)
    most = most_it_can_cost(analysis.plan._replace(max_runtime=limit))
    whole = most.amount.to_integral_value(ROUND_CEILING)
    process = analysis.memory.fullest.to_dict()["process_bytes"]
    return {
        ("instance", "max_runtime"): duration(limit),
        ("budget", "max_cost"): str(max_cost or f"{whole} {most.currency}"),
        ("expect", "training.memory_per_gpu"): f"..{ceil(process['high'] / GB)} GB",
        ("expect", "training.cost"): f"..{ceil(analysis.cost.high)} {analysis.cost.currency}",
    }
