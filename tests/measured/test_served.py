"""The benchmark of endpoints that ran: what it scores, what it leaves out and why."""

from __future__ import annotations

import pytest
from measured.product import judged
from measured.reason import NotExpressibleError
from measured.served import KEPT_ASIDE, plan_of, points, starts
from measured.served_fit import fitted_engine, fitted_served
from measured.served_score import CACHE, MEMORY, STEP, Figures, compared, lines

from hbspec.estimators.serving.constants import ENGINE, SERVED
from hbspec.units import Interval


@pytest.fixture(scope="module")
def found():
    return judged()


def test_every_row_names_where_it_was_published():
    for row in (*starts(), *points()):
        assert row.source
        assert row.locator


def test_ids_are_unique():
    ids = [row.id for row in (*starts(), *points())]
    assert len(ids) == len(set(ids))


def test_what_a_spec_cannot_express_has_a_reason(found):
    reasons = {one.row.id: one.reason for one in found if one.reason}
    assert reasons["a100-llama2-70b-2023"] == "an engine before CUDA graphs"
    assert "not stated" in reasons["l40s-llama31-unstated"]
    assert "at once" in reasons["a10g-llama31-v0"]
    assert all("windows" in reason for row, reason in reasons.items() if row.startswith("llmd"))


def test_few_sources_establish_nothing():
    row = starts()[0]
    one = compared(row, "cache tokens", 100.0, lambda _: Interval(90, 101, 110))
    assert Figures.of([one])._replace(width=None) == Figures(1, 1, pytest.approx(0.01), pytest.approx(0.01), 1, None, 0)
    assert any("not established" in line for line in lines([one], errors=False))


def test_fewer_tokens_and_longer_times_are_worse_than_said():
    row, point = starts()[0], points()[0]
    held = compared(row, "cache tokens", 80.0, lambda _: Interval(90, 100, 110))
    slow = compared(point, "decode", 120.0, lambda _: Interval(90, 100, 110))
    assert Figures.of([held, slow]).optimistic == 2
    assert not held.inside


def test_a_failure_to_estimate_is_a_reason():
    def refused(row):
        raise NotExpressibleError("no")

    one = compared(starts()[0], "cache tokens", 1.0, refused)
    assert (one.estimate, one.reason, one.inside) == (None, "no", False)


def test_the_plan_has_the_rows_settings():
    row = next(row for row in starts() if row.id == "4090-qwen25-7b")
    assert (plan_of(row).utilization, plan_of(row).concurrency) == (0.85, 256)


def test_the_shipped_constants_are_those_of_the_fit():
    assert fitted_served() == SERVED
    assert fitted_served("a source without a part in it") is fitted_served()
    fitted = fitted_engine()
    for name in ("sampled_sorting", "sampled", "outside", "outside_older", "outside_cards", "static", "static_joined"):
        assert getattr(fitted, name).expected == pytest.approx(getattr(ENGINE, name).expected, rel=0.02)


def test_what_is_kept_aside_is_scored_and_not_fitted(found):
    assert {point.source for point in points()} >= KEPT_ASIDE
    assert all(fitted_served(source) is fitted_served() for source in KEPT_ASIDE)
    printed = list(lines(found, errors=False))
    assert sum(line.startswith("  of these, kept aside from fits") for line in printed) == 7


def test_sums_over_gpus_have_three_sources_of_cache_and_of_decoding(found):
    """Within the aims: 15 % of a step, and of the cache less."""
    for metric, most in ((CACHE, 0.1), (STEP, 0.15)):
        of = [one for one in found if one.metric == metric and one.estimate and one.row.tensor_parallel > 1]
        joined = Figures.of([one for one in of if one.row.group == "vllm V1"])
        assert joined.sources >= 3
        assert joined.median < most
        assert joined.inside > (0.99 if metric == CACHE else 0.89)


def test_lmi_is_the_vllm_inside_it(found):
    (row,) = {one.row.id: one.row for one in found if one.row.engine == "djl-lmi"}.values()
    assert (row.group, row.version) == ("djl-lmi V0", (0, 7, 1))
    (memory,) = (one for one in found if one.row is row and one.metric == MEMORY)
    assert memory.inside


def test_memory_beside_the_cache_is_as_logs_say(found):
    memory = Figures.of([one for one in found if one.metric == MEMORY and one.row.group == "vllm V1" and one.estimate])
    assert memory.sources >= 3
    assert memory.median < 0.03
    assert memory.inside > 0.9


def test_what_is_exact_has_no_interval_to_be_inside_of(found):
    weights = [one for one in found if one.metric == "weights" and one.estimate]
    assert all(one.estimate.is_exact for one in weights)
    assert any("exact, without an interval" in line for line in lines(weights, errors=False))
