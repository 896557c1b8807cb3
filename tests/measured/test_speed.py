"""Speed, seconds and dollars of rows: what a row states, what is fitted, and what is left out."""

from __future__ import annotations

import pytest
from made_rows import LORA, PUBLISHED, TRAINED
from measured import fitted, speed, timing
from measured.mapping import express
from measured.reason import NotExpressibleError
from measured.row import COLUMNS, Row, read_rows

from hbspec.estimators.constants import STEP
from hbspec.estimators.job.step_time import step_of
from hbspec.estimators.step.duration import MicroBatch
from hbspec.units import HOUR, Interval

G5 = "ml.g5.2xlarge ($1.515/h stated); 312 optimizer steps, billable 6162 s"


def row(**cells):
    return Row({column: cells.get(column, LORA.get(column, "")) for column in COLUMNS})


def case(**cells):
    return express(row(**cells))


def test_rows_are_as_long_as_the_cap_unless_the_source_says_otherwise():
    assert case().with_values(data=timing.data_of(case())).row_tokens.expected == 1024
    mean = case(micro_batch="4", notes="length-bucketed, avg 840 tokens/step")
    assert timing.data_of(mean)["tokens"] == {"mean": 210.0, "max": 210}
    for notes in ("variable-length Alpaca", "1 epoch, UNPACKED"):
        with pytest.raises(NotExpressibleError, match="their mean is not stated"):
            timing.rate(case(notes=notes), STEP)


def test_the_rate_is_that_of_the_plan():
    plan = case().with_values(data=timing.data_of(case()))
    assert timing.rate(case(), STEP) == step_of(plan).tokens_per_second_per_gpu


@pytest.mark.parametrize(
    ("cells", "updates"), [({"notes": "5000 steps"}, 5000), ({"notes": "1,200 optimizer steps"}, 1200)]
)
def test_updates_are_stated(cells, updates):
    assert timing.updates(case(**cells)) == updates
    assert timing.total(case(**cells), STEP).expected == pytest.approx(
        updates * timing.total(case(notes="1 steps"), STEP).expected, rel=0.02
    )


@pytest.mark.parametrize("cells", [{}, {"step_time_s": "36", "notes": "28 steps/epoch, 0.036 steps/s"}])
def test_without_updates_the_total_is_not_known(cells):
    """The total over the time of a step would only repeat what the row says about a step."""
    with pytest.raises(NotExpressibleError, match="how many updates"):
        timing.total(case(total_time_h="1", **cells), STEP)


def test_a_rate_over_evaluations_is_none_of_steps():
    stated = {"tokens_per_s_per_gpu": "21", "total_time_h": "13.5"}
    assert row(**stated).measured("tokens_per_second_per_gpu") == 21
    whole = row(**stated, notes="surprisingly slow: includes eval/checkpoint I/O")
    assert whole.measured("tokens_per_second_per_gpu") is None
    assert whole.measured("total_time") == 13.5 * HOUR


def test_a_billed_job_has_the_phases_of_its_instance():
    loop, named, billed = (
        timing.total(case(gpu="A10G-24GB", notes=notes), STEP)
        for notes in ("312 steps", "312 steps, ml.g5.2xlarge", "312 steps, ml.g5.2xlarge, billable")
    )
    assert loop == named
    assert billed.low > loop.low
    assert billed.high > loop.high + 600


def test_dollars_are_hours_at_the_stated_price():
    spent, took = timing.spent(case(notes=G5), STEP), timing.total(case(notes=G5), STEP)
    assert spent.expected == pytest.approx(1.515 * took.expected / HOUR, rel=0.05)
    with pytest.raises(NotExpressibleError, match="price"):
        timing.spent(case(notes="312 steps"), STEP)


def test_a_range_of_dollars_is_no_measurement():
    assert row(total_cost_usd="2.37-4.14").measured("total_cost") is None
    assert row(total_cost_usd="2.8").measured("total_cost") == 2.8
    assert row(total_time_h="0.5").measured("total_time") == 1800


ASKED = {
    "products": 1.0,
    "attention": 0.1,
    "unknown": Interval.exact(1.0),
    "weights": 0.05,
    "written": 0.2,
    "unpacked": 0.0,
    "launches": 1000,
    "units": 0,
    "streamed": 0.0,
    "sent": Interval.exact(0.0),
    "handover": 1.0,
}


def made(source, seconds, **asked):
    return speed.Observation("made", source, 1, 0.0, seconds, MicroBatch(**{**ASKED, **asked}))


def test_constants_are_found_again():
    """Work by products alone, by writing alone, by launching and beside what is sent, each of rows of six sources."""
    kinds = [
        {"products": 1.0, "attention": 0.0, "weights": 0.0, "written": 0.0, "launches": 1},
        {"products": 0.01, "attention": 0.0, "weights": 0.0, "written": 1.0, "launches": 1},
        {"products": 0.01, "attention": 0.0, "weights": 0.0, "written": 0.0, "launches": 100_000},
        {"attention": 0.0, "weights": 0.0, "written": 0.0, "sent": Interval.exact(1.0), "launches": 1},
    ]
    truth = {**speed.START, "products": 0.7, "crossings": 4.0, "launch": 30e-6, "exposed": 0.5}
    found = [
        made(f"source {number}", made("", 0, **kind).estimated(truth), **kind) for number in range(6) for kind in kinds
    ]
    constants = speed.fit(found * 5)
    assert constants.products == pytest.approx(0.7, rel=0.02)
    assert constants.crossings == pytest.approx(4.0, rel=0.02)
    assert constants.launch.expected == pytest.approx(30e-6, rel=0.02)
    assert constants.exposed.expected == pytest.approx(0.5, rel=0.03)
    assert constants.unpacking == speed.START["unpacking"]


def test_all_that_is_sent_is_exposed_at_most():
    slow = [made(f"source {number}", 9.0, sent=Interval.exact(1.0)) for number in range(6)] * 5
    assert speed.fit(slow).exposed.expected <= 1


def test_the_estimate_is_that_of_the_micro_batch():
    """What is fitted, in numbers, is what is estimated, in intervals."""
    for one in fitted.recorded().speed:
        at = one.asked.seconds(STEP).expected
        assert one.estimated(speed.values_of(STEP)) == pytest.approx(one.accumulation * at + one.update)


def test_a_few_rows_do_not_move_what_is_believed():
    found = [made("one", 2 * made("", 0).estimated(speed.START))]
    constants = speed.fit(found)
    assert constants.products == speed.START["products"]
    assert constants.error.high == 2.0


def test_the_constants_are_those_that_their_rows_give():
    assert speed.fit(fitted.recorded().speed) == STEP


@pytest.mark.long
def test_the_recorded_rows_are_those_that_the_published_ones_give():
    recorded = fitted.recorded().speed
    assert len({one.source for one in recorded}) >= 3
    if PUBLISHED.exists():
        assert speed.observations(read_rows(TRAINED)) == recorded


def test_a_source_has_no_part_in_its_own_constants():
    found = fitted.recorded()
    source = found.speed[0].source
    changed = [one._replace(seconds=9 * one.seconds) if one.source == source else one for one in found.speed]
    other = found._replace(speed=tuple(changed))
    assert fitted.left_out(found)(source) == fitted.left_out(other)(source)
    assert fitted.fit(found).step != fitted.fit(other).step


def test_recorded_observations_are_read_as_they_were_written():
    (first, *_) = fitted.recorded().speed
    again = speed.Observation.of(first.to_dict())
    assert again == first
