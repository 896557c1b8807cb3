"""HB401: claims that the computed value rules out."""

from __future__ import annotations

import pytest
from judged import edge, estimated, judged

BATCH = "expect: {training.effective_batch_size: 32}"
DURATION = "expect: {training.duration: 1s..3h}"


@pytest.mark.parametrize("beyond", [31, 33])
def test_the_edge_of_an_exact_value_is_itself(beyond, tmp_path):
    edge("HB401", BATCH, "expect.training.effective_batch_size", 32, beyond, tmp_path)


def test_where_claim_and_prediction_part_the_claim_is_no_longer_undecided(tmp_path):
    low = estimated("", tmp_path).time.total_seconds.low
    meets, misses = (f"expect: {{training.duration: 1s..{low + more:.3f}s}}" for more in (0.01, -0.01))
    assert judged("HB401", meets, tmp_path) == judged("HB402", misses, tmp_path) == []
    (undecided,), (contradicted,) = judged("HB402", meets, tmp_path), judged("HB401", misses, tmp_path)
    assert undecided.route == contradicted.route == ("expect", "training.duration")


def test_an_exact_value_is_certain_and_an_estimate_is_likely(tmp_path):
    (exact,) = judged("HB401", BATCH.replace("32", "33"), tmp_path)
    (estimate,) = judged("HB401", DURATION.replace("3h", "2s"), tmp_path)
    assert (exact.confidence, estimate.confidence) == ("certain", "likely")
    assert exact.help == "correct the claim, or change the settings it depends on"


def test_the_cost_of_a_described_baseline_is_among_the_inputs(tmp_path):
    test = "baseline: today, served_model_name: assistant, candidate_weight: 0.1"
    described = f"{test}, instance: {{type: ml.g5.2xlarge, price: 2 USD/h}}"
    fragment = "deployment: {ab_test: {%s}}\nexpect: {deployment.hourly_cost: 1 USD}"
    (found,) = judged("HB401", fragment % described, tmp_path)
    assert "2.00 USD/h of the baseline's instances" in found.message
    (alone,) = judged("HB401", fragment % test, tmp_path)
    assert "baseline" not in alone.message
