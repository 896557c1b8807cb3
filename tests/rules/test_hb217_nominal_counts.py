"""HB217: the nominal number of examples, where something hangs on it."""

from __future__ import annotations

from math import ceil, floor

from judged import SPECS, edge, estimated, judged, said

from hbspec.api import estimate
from hbspec.rules import hb217_nominal_counts as hb217
from hbspec.rules.engine import findings_of

SEED = SPECS / "heartbeat-as-written.yaml"
CLAIM = "expect: {training.examples_processed: %s}"
PARTIAL = "data: {train: {examples: 100}}\nhyperparameters: {max_steps: 800}\nbudget: {max_cost: %s}"


def test_edge(tmp_path):
    edge("HB217", "", 'expect."training.examples_processed"', "9568", "9.6K", tmp_path)


def test_edge_of_the_budget(tmp_path):
    """A budget up to the cost in proportion to the nominal count is decided by which count is meant."""
    job = estimated(PARTIAL % "9999 USD", tmp_path)
    counts = job.plan.counts
    assert counts.examples_processed < counts.nominal_examples == 25_600
    cents = 100 * float(job.cost.high) * counts.nominal_examples / counts.examples_processed
    within, beyond = f"{ceil(cents) / 100:.2f} USD", f"{floor(cents) / 100:.2f} USD"
    edge("HB217", PARTIAL % "9999 USD", "budget.max_cost", within, beyond, tmp_path)


def test_the_nominal_count_of_the_seed_is_claimed():
    (found,) = (one for one in findings_of(estimate(SEED).analysis)[0] if one.code == "HB217")
    assert found.route == ("expect", "training.examples_processed")
    assert "300 updates x 32 = 9,600 examples (4.37 epochs) is nominal" in found.message
    assert "9,560 (4.35 epochs) are processed" in found.message
    said_with = {one.route: one.also for one in said("HB401", SEED)}
    assert said_with[found.route] == (("HB217", found.route),)


def test_a_small_difference_is_told_only_to_who_claims_the_product(tmp_path):
    assert judged("HB217", "", tmp_path) == []  # 9,600 nominal, 9,568 processed
    assert judged("HB217", CLAIM % "9000..10000", tmp_path) == []
    (found,) = judged("HB217", CLAIM % "9.6K", tmp_path)
    assert found.route == ("expect", "training.examples_processed")


def test_a_product_that_nothing_hangs_on_is_not_reported(tmp_path):
    for steps in ("max_steps: 8", "max_steps: null, num_train_epochs: 3", "max_steps: 8, packing: true"):
        fragment = f"data: {{train: {{examples: 100}}}}\nhyperparameters: {{{steps}}}"
        assert judged("HB217", fragment, tmp_path) == []


def test_a_budget_that_the_product_would_exceed(tmp_path):
    cost = float(estimated(PARTIAL % "9999 USD", tmp_path).cost.high)
    (found,) = judged("HB217", PARTIAL % f"{cost + 1:.2f} USD", tmp_path)
    assert found.route == ("budget", "max_cost")


def test_within_the_first_epoch_both_counts_are_one(tmp_path):
    assert judged("HB217", f"hyperparameters: {{max_steps: 68}}\n{CLAIM % 2176}", tmp_path) == []


def test_packed_rows_are_not_examples(tmp_path):
    fragment = "data: {train: {examples: 100}}\nhyperparameters: {max_steps: 8, packing: true}\n"
    (found,) = hb217.check(estimated(fragment + CLAIM % 474, tmp_path).analysis)
    assert found.message.startswith("8 updates x 32 packed rows, about 474 examples")  # 54 rows hold the 100
