"""Where only the author's limits are in the way of a plan, `hbspec optimize` names them, and the values that do."""

import json
import re

import pytest

from hbspec.search.request import AXES

SPEC = """\
hbspec: 1
name: small
model: {id: Qwen/Qwen2.5-0.5B}
data: {train: {examples: 100000}, tokens: {mean: 300, max: 500}}
instance: {type: ml.g5.xlarge, region: us-east-1, parallelism: single, max_runtime: 30m}
hyperparameters: {method: lora, learning_rate: 2e-4, per_device_batch_size: 1,
  gradient_accumulation_steps: 8, max_length: 512}
budget: {max_cost: 1 USD}
"""
KEPT = [word for key in AXES if not key.endswith(("batch_size", "accumulation_steps")) for word in ("--keep", key)]


@pytest.mark.parametrize("budget", ["1 USD", "500 USD"])
def test_the_limit_is_named_with_the_value_that_passes(hbspec, budget):
    hbspec.write("small.yaml", SPEC.replace("1 USD", budget))
    code, out, _ = hbspec("optimize", "small.yaml", *KEPT)
    assert code == 1
    said = " ".join(out.split())
    assert "Nearest plan: without the spec's limits" in said
    runtime = re.search(r"it passes with (instance\.max_runtime=\d+h) \(30m now\)", said)
    assert runtime
    raised = re.search(r" and (budget\.max_cost=\d+ USD) \(1.00 USD now\)", said)
    assert bool(raised) is (budget == "1 USD")
    found = json.loads(hbspec("optimize", "small.yaml", *KEPT, "--format", "json")[1])["nearest"]
    settings = [f"{key}={value}" for key, value in {**found["changes"], **found["limits"]}.items()]
    words = [word for setting in settings for word in ("--set", setting)]
    report = json.loads(hbspec("check", "small.yaml", *words, "--format", "json")[1])
    assert not {entry["code"] for entry in report["diagnostics"]} & {"HB301", "HB302", "HB303"}


def test_a_plan_above_the_budget_says_so(hbspec):
    hbspec.write("small.yaml", SPEC.replace("30m", "60h"))
    said = " ".join(hbspec("optimize", "small.yaml", *KEPT)[1].split())
    assert "budget.max_cost=" in said
    assert "(1.00 USD now)" in said


@pytest.mark.parametrize("waits", [True, False])
def test_a_wait_for_spot_instances_is_named_where_the_plan_waits(hbspec, waits):
    hbspec.write("small.yaml", SPEC.replace("30m", "30m, spot: true, max_wait: 40m").replace("1 USD", "500 USD"))
    at = KEPT.index("instance.spot")
    kept = KEPT if waits else [*KEPT[: at - 1], *KEPT[at + 1 :]]
    found = json.loads(hbspec("optimize", "small.yaml", *kept, "--format", "json")[1])["nearest"]
    assert ("instance.spot" in found["changes"]) is not waits
    assert ("instance.max_wait" in found["limits"]) is waits
