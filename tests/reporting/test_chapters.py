"""What the chapters say: their numbers are those of the estimates, and what is missing is named."""

from __future__ import annotations

import re

import pytest
from made_records import SPEC as RECORDED
from made_records import record_of_estimate, with_record

from hbspec.api import estimate
from hbspec.comparison.compared import compare
from hbspec.estimators.serving.curve import curve as loads
from hbspec.estimators.training.by_moment import by_moment
from hbspec.histogram import Histogram
from hbspec.language import speaking
from hbspec.plan.measurement_file import DIGEST, digest_of
from hbspec.reporting.chapter import Listing, Statement
from hbspec.reporting.charts import svg
from hbspec.reporting.contents import MOST_SPECS, contents
from hbspec.reporting.judged import measured_chapter
from hbspec.reporting.lengths import bins
from hbspec.reporting.plans import plans_chapter
from hbspec.reporting.sources import sources_chapter
from hbspec.reporting.time import stretches
from hbspec.reporting.translation import translation
from hbspec.rules.judge import judge
from hbspec.search.optimize import optimize
from hbspec.search.request import AXES, Request
from reporting.conftest import DAY, SPEC

BREAK = "\N{NO-BREAK SPACE}"


def chapter(report, name):
    return next(one for one in report.chapters if one.name == name)


def table(chapter, caption):
    return next(one for one in chapter.blocks if isinstance(one, Listing) and one.caption == caption)


def said(chapter):
    return [one.text for one in chapter.blocks if isinstance(one, Statement)]


def without(*keys, **more):
    spec = {name: section for name, section in SPEC.items() if name not in keys}
    return spec | {"data": {"train": {"examples": 1000}}} | more


@pytest.fixture(scope="module")
def bare():
    """Neither a price, nor lengths, nor an endpoint, nor claims."""
    spec = without("deployment", "expect", "budget", instance={"gpu": "A10G", "gpus": 1})
    return contents(compare(["bare.yaml"], [estimate(spec, as_of=DAY)]))


def test_all_chapters_are_there(report):
    names = ["claims", "memory", "time", "cost", "endpoint", "plans", "data", "measured", "findings", "sources"]
    assert [one.name for one in report.chapters] == names


def test_errors_are_said_at_the_beginning(report):
    assert report.lead[-1].style == "bad"
    assert " errors, " in report.lead[-1].text
    assert report.lead[-1].text.endswith(": hbspec compile refuses it.")


def test_the_peak_is_the_largest_of_all_moments(compared):
    (found,) = compared.estimates
    (moments,) = by_moment(found.plan)
    device = found.memory.fullest
    assert moments[-1].name == device.moment
    assert {name: size for name, size in moments[-1].terms.items() if size} == device.terms
    assert {"load", "forward", "backward", "optimizer"} <= {moment.name for moment in moments}


def test_the_last_end_is_the_whole_time(compared):
    (found,) = compared.estimates
    ends = [one.end for one in stretches(found.time)]
    assert ends[-1] == found.time.total_seconds
    assert ends == sorted(ends, key=lambda end: end.low)


def test_the_planned_load_is_on_the_curve(compared):
    (found,) = compared.estimates
    curve = loads(found.analysis.serving_plan)
    assert found.serving.load in curve
    assert [one.concurrency for one in curve][:4] == [1, 2, 4, 8]
    assert curve[-1].concurrency == found.serving.load.largest_concurrency


@pytest.mark.parametrize("lengths", [(1,), (7, 8, 9), (29, 30, 31), (1, 100_000), tuple(range(1, 200))])
def test_bins_hold_every_example_once(lengths):
    histogram = Histogram(lengths, tuple(range(1, len(lengths) + 1)))
    found = bins(histogram)
    assert sum(one.examples for one in found) == histogram.size
    assert [one.start for one in found[1:]] == [one.end for one in found[:-1]]
    assert found[-1].start <= histogram.longest < found[-1].end
    assert len(found) <= 30


def test_truncation_is_counted(report):
    assert "10 examples are truncated at max_length (512 tokens): 1.6 % of tokens." in said(chapter(report, "data"))


def test_facts_have_a_source_and_a_day(report):
    facts = {row[0]: row for row in table(chapter(report, "sources"), "Facts").rows}
    assert set(facts) == {
        *("price of the job", "price of the endpoint", "instance of the endpoint", "GPU of the endpoint"),
        *("instance of the job", "GPU of the job", "model", "data"),
    }
    assert facts["price of the job"] == ("price of the job", "1.41 USD/h", "undated", "set in the spec")
    assert all(source and day for _, _, day, source in facts.values())


def test_what_is_missing_is_named(bare):
    (cost,) = [text for text in said(chapter(bare, "cost")) if "not known" in text]
    assert "price" in cost
    assert said(chapter(bare, "cost"))[1] == "The spec sets no budget."
    assert "not known" in said(chapter(bare, "data"))[0]
    assert said(chapter(bare, "claims")) == ["The spec claims nothing (`expect`)."]
    assert said(chapter(bare, "endpoint")) == ["The spec describes no endpoint (`deployment`)."]
    assert said(chapter(bare, "plans"))[0].startswith("Other plans were not searched")
    assert said(chapter(bare, "measured"))[0].startswith("Nothing was measured")
    assert [row for row in table(chapter(bare, "sources"), "Not known").rows if "cost" in row[0]]


def test_an_assumed_interval_is_in_words(bare):
    assumed = {key: value for key, value, _ in table(chapter(bare, "sources"), "Assumed: the spec leaves it open").rows}
    assert assumed["data.tokens"] == "32.0 to 512 (expected 128)"


def test_what_is_missing_is_named_in_french():
    spec = without("deployment", "expect", "budget", instance={"gpu": "A10G", "gpus": 1})
    report = contents(compare(["bare.yaml"], [estimate(spec, as_of=DAY)]), language=translation("fr"))
    price = "le prix de 1 x A10G dans une région non nommée"
    assert f"Son coût n'est pas connu{BREAK}: il manque {price}." in said(chapter(report, "cost"))
    assert said(chapter(report, "endpoint")) == [
        "La spécification ne décrit aucun point de terminaison (`deployment`)."
    ]
    assert said(chapter(report, "data"))[0].endswith(
        f"(ni data.profile ni data.tokens n'est fixé){BREAK}: de 32 à max_length."
    )
    assert ("coût", f"il manque {price}") in table(chapter(report, "sources"), "Inconnu").rows


def test_a_record_is_beside_what_would_be_predicted():
    spec = without("deployment", "expect", data={"train": {"examples": 1000}, "tokens": {"mean": 300, "max": 300}})
    plain = estimate(spec, as_of=DAY)
    assert said(measured_chapter(plain))[0].startswith("Nothing was measured")
    rate = estimate(spec | {"calibration": {"tokens_per_second_per_gpu": 100}}, as_of=DAY)
    rows = table(measured_chapter(rate), "Measured beside predicted").rows
    assert [(row[0], row[3]) for row in rows] == [("one update", "above"), ("tokens per second per GPU", "below")]


@pytest.mark.parametrize(("day", "told"), [("2026-12-01", "1er décembre 2026"), ("last week", "last week")])
def test_the_day_of_a_record_is_shown_as_far_as_it_is_one(day, told, tmp_path):
    record = {**record_of_estimate(estimate(RECORDED)), "day": day}
    found = with_record({**record, DIGEST: digest_of(record)}, tmp_path, spec=RECORDED)
    with speaking(translation("fr")):
        assert f"Mesuré le {told} sur " in said(measured_chapter(found))[0]
        assert told in [row[2] for row in table(sources_chapter(found), "Faits").rows if row[0] == "mesure"]


def test_a_record_of_memory_is_beside_each_gpu(tmp_path):
    found = with_record(record_of_estimate(estimate(RECORDED)), tmp_path, spec=RECORDED)
    assert found.plan.measured.memory
    chapter = measured_chapter(found)
    rows = table(chapter, "Measured beside predicted").rows
    assert [row[0] for row in rows[-3:]] == ["GPU 0: allocated", "GPU 0: reserved", "GPU 0: process"]
    assert rows[-3][3] == "within"
    assert said(chapter)[1:] == ["Its speed replaces the estimate.", "Its memory replaces the estimate."]


def test_a_record_of_another_job_says_why_it_does_not_apply(tmp_path):
    record = record_of_estimate(estimate(RECORDED))
    found = with_record(record, tmp_path, "hyperparameters.per_device_batch_size=4", spec=RECORDED)
    blocks = measured_chapter(found).blocks
    assert [type(block) for block in blocks] == [Statement] * 3
    assert "micro_batch: 2 measured, 4 in this job" in blocks[1].text


def test_plans_with_the_current_one_beside_them():
    lengths = {"train": {"examples": 1000}, "tokens": {"mean": 300, "max": 500}}
    slow = SPEC["hyperparameters"] | {"per_device_batch_size": 1, "gradient_accumulation_steps": 8}
    found = estimate(without("expect", "deployment", name="job", data=lengths, hyperparameters=slow), as_of=DAY)
    kept = frozenset(AXES) - {"hyperparameters.per_device_batch_size", "hyperparameters.gradient_accumulation_steps"}
    optimum = optimize(found.analysis, Request(keep=kept, most_instances=1))
    assert len(optimum.front.plans) > 0
    chapter = plans_chapter(optimum)
    rows = table(chapter, "The best plans in cost, time and memory").rows
    assert [row[0] for row in rows] == ["current", *(str(number + 1) for number in range(len(optimum.front.plans)))]
    now, best = optimum.current.burdens.cost, min(plan.burdens.cost.expected for plan in optimum.front.plans)
    assert f": {round(now.expected - best, 2)} USD less than now" in said(chapter)[0]
    assert said(chapter)[0].endswith("It is not certain to cost less, since the intervals overlap.")
    svg(chapter.blocks[1].vega_lite, "plans")
    in_french(optimum, chapter)
    assert not [text for text in said(chapter) if "max_runtime" in text]


def test_plans_that_lose_a_claim_and_a_current_one_that_may_be_cut_are_said():
    lengths = {"train": {"examples": 1000}, "tokens": {"mean": 300, "max": 500}}
    slow = SPEC["hyperparameters"] | {"per_device_batch_size": 1, "gradient_accumulation_steps": 8}
    spec = without(
        "deployment", name="job", data=lengths, hyperparameters=slow, expect={"training.memory_per_gpu": "1 kB"}
    )
    spec["instance"] = spec["instance"] | {"max_runtime": "13m"}
    kept = frozenset(AXES) - {"hyperparameters.per_device_batch_size", "hyperparameters.gradient_accumulation_steps"}
    optimum = optimize(estimate(spec, as_of=DAY).analysis, Request(keep=kept, most_instances=1))
    chapter = plans_chapter(optimum)
    assert "Cost and time of the current plan are those to its end; max_runtime may stop it earlier." in said(chapter)
    remarks = [row[-1] for row in table(chapter, "The best plans in cost, time and memory").rows[1:]]
    assert remarks
    assert all("claims that may not hold: training.memory_per_gpu" in remark for remark in remarks)


def in_french(optimum, chapter):
    """The same plans with the same numbers, and no word of English."""
    with speaking(translation("fr")):
        other = plans_chapter(optimum)
    for block, french in zip(chapter.blocks, other.blocks, strict=True):
        if isinstance(block, Listing):
            assert [len(row) for row in french.rows] == [len(row) for row in block.rows]
    rows = table(other, "Les meilleurs plans en coût, durée et mémoire").rows
    assert [row[0] for row in rows][:2] == ["actuel", "1"]
    assert rows[0][1] == "tel quel"
    assert not [
        cell for row in rows for cell in row if re.search(r"\b(and|set|remove|to)\b|\d\.\d", cell.replace("g5.", ""))
    ]
    drawn = svg(other.blocks[1].vega_lite, "plans", translation("fr").axes)
    assert "coût prévu en USD" in drawn
    assert re.search(r">0,\d+<", drawn)


def test_without_a_plan_the_reasons_are_counted(compared):
    (found,) = compared.estimates  # its name is an error whatever the plan
    chapter = plans_chapter(optimize(found.analysis, Request(keep=frozenset(AXES), most_instances=1)))
    assert table(chapter, "Plans that are not recommended").rows == [("1", "HB601 job-name-refused")]
    assert "1 plan in us-east-1" in said(chapter)[1]


def test_several_specs_are_compared_first_and_a_refused_one_is_named(compared, bare):
    other = estimate(without("deployment"), as_of=DAY)
    broken = judge(other.analysis)._replace(files=("broken.yaml",))
    report = contents(compare(["a", "b"], [*compared.estimates, other]), (), [("broken.yaml", broken)])
    assert [one.name for one in report.chapters] == ["comparison", "refused", "spec-a", "spec-b"]
    assert said(chapter(report, "refused")) == ["1 of the specs could not be estimated."]
    parts = [one.name for one in chapter(report, "spec-b").parts]
    assert "memory" in parts
    assert table(chapter(report, "comparison"), "Figures, each with its difference from A").rows[0][0] == "Verdict"


def test_specs_of_one_name_are_called_by_their_files(compared):
    report = contents(compare(["plan.yaml", "cheaper.yaml"], [*compared.estimates] * 2))
    assert [one.text for one in report.lead] == ["plan.yaml, cheaper.yaml"]
    assert [one.title for one in report.chapters] == ["Comparison", "A: plan.yaml", "B: cheaper.yaml"]


def test_of_many_specs_there_is_a_row_each_and_the_cheapest_is_first(compared):
    (found,) = compared.estimates
    dearer = estimate(SPEC | {"data": {"train": {"examples": 1000}, "tokens": {"mean": 900, "max": 1000}}}, as_of=DAY)
    names = ["dear.yaml", *(f"{number}.yaml" for number in range(MOST_SPECS))]
    report = contents(compare(names, [dearer, *[found] * MOST_SPECS]))
    (only,) = report.chapters
    rows = table(only, "The specs, by expected cost").rows
    assert [row[0] for row in rows] == [*names[1:], "dear.yaml"]
    assert "at most 8 specs: these are 9" in report.lead[0].text


def test_plans_that_cannot_be_searched_say_what_they_need(compared):
    report = contents(compared, ["the hardware"])
    assert said(chapter(report, "plans")) == ["No plan can be compared: it needs the hardware."]
