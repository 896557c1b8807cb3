"""The nearest plan of a search that found none: what is not certain of it is said beside it."""

from __future__ import annotations

from hbspec.api import estimate
from hbspec.render.optimum import optimum_lines
from hbspec.search.optimize import Nearest, optimize
from hbspec.search.request import AXES, Request

UNKNOWN_LENGTHS = {
    "hbspec": 1,
    "name": "small",
    "model": {"id": "Qwen/Qwen2.5-0.5B"},
    "data": {"train": {"examples": 1000}},
    "instance": {"type": "ml.g4dn.xlarge", "region": "us-east-1", "parallelism": "single", "max_runtime": "60h"},
    "hyperparameters": {
        "method": "lora",
        "learning_rate": 2e-4,
        "max_steps": 60,
        "per_device_batch_size": 16,
        "gradient_accumulation_steps": 2,
        "max_length": 2048,
        "bf16": False,
    },
}


def test_a_plan_that_may_not_fit_says_so():
    analysis = estimate(UNKNOWN_LENGTHS).analysis
    found = optimize(analysis, Request(keep=frozenset(AXES), allow=frozenset({"tight"})))
    (plan,) = found.front.plans
    nearest = Nearest("being certain to fit", plan, analysis.spec)
    none = found._replace(front=found.front._replace(plans=()), nearest=nearest)
    page = "\n".join("".join(text for _, text in line) for line in optimum_lines(none, None))
    assert "Nearest plan: without being certain to fit" in page
    assert "not certain: HB109 does-not-fit" in page
