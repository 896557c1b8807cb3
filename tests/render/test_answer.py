"""The sentences that an estimate begins with; what is not known to suffice is never said to."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace

import pytest

from hbspec.estimators.job.cost import Cost, CostItem
from hbspec.estimators.job.host import Host
from hbspec.estimators.job.storage import Storage
from hbspec.estimators.training.devices import Memory
from hbspec.estimators.verdict import Verdict
from hbspec.render.answer import answer, stopped
from hbspec.units import GB, Interval, Money

from .made_serving import SERVING
from .test_estimates import ESTIMATES, FULL

ROOMY = replace(FULL, process=Interval(10 * GB, 12 * GB, 15 * GB))
HOST = Host({"load": {"processes": Interval(GB, 3 * GB, 6 * GB)}}, 64 * GB)
DISK = Storage({"weights": Interval.exact(15 * GB)}, "volume", 30 * GB, False)


def said(**changed):
    given = {**vars(ESTIMATES), "memory": Memory((ROOMY,)), "host": HOST, "storage": DISK, "serving": None, **changed}
    return [(sentence.style, sentence.text) for sentence in answer(SimpleNamespace(**given))]


NEEDS = ": the fullest GPU needs about 12.0 GB (10.0 GB to 15.0 GB) of 20.0 GB"
OVER = replace(FULL, process=Interval(21 * GB, 22 * GB, 23 * GB), needed=22 * GB)
RESERVING = replace(FULL, process=Interval(19 * GB, 21 * GB, 24 * GB), needed=18 * GB)
NO_HOST = Host(HOST.moments, 2 * GB)


@pytest.mark.parametrize(
    ("changed", "style", "words"),
    [
        ({}, "good", f"It fits{NEEDS}."),
        ({"host": None, "storage": None}, "good", f"It fits{NEEDS}."),
        ({"memory": Memory((replace(ROOMY, usable=None),))}, "open", "Whether it fits is not known: the fullest GPU"),
        ({"memory": Memory((OVER,))}, "bad", "It does not fit: the fullest GPU needs about 22.0 GB (21.0 GB to 23.0"),
        ({"memory": Memory((replace(FULL, needed=21 * GB),))}, "open", "It is not expected to fit: the fullest"),
        ({"memory": Memory((FULL,))}, "open", "It is expected to fit, but may not: the fullest"),
        (
            {"memory": Memory((ROOMY, RESERVING))},
            "open",
            "It may not fit: of 20.0 GB, the fullest GPU needs about 18.0 GB for tensors and the CUDA context, and "
            "about 21.0 GB (19.0 GB to 24.0 GB) with what the allocator would reserve beside them.",
        ),
        (
            {"host": Host(HOST.moments, GB // 2)},
            "bad",
            f"It does not fit{NEEDS}; the host's memory does not suffice (3.00 GB of 500 MB needed).",
        ),
        (
            {"host": NO_HOST, "storage": DISK._replace(capacity=None)},
            "open",
            f"It fits on the GPUs{NEEDS}; the host's memory may not suffice (3.00 GB of 2.00 GB needed); the disk is "
            "not known to suffice (15.0 GB needed).",
        ),
        ({"memory": None, "unknown": {"memory": "the GPU"}}, "open", "Whether it fits is not known: it needs the GPU."),
    ],
)
def test_whether_it_fits(changed, style, words):
    found = said(**changed)[0]
    assert found[0] == style
    assert found[1].startswith(words)


def test_what_does_not_fit_would_take_and_would_cost():
    _, time, cost = said(memory=Memory((OVER,)))
    assert time[1].startswith("It would take about 1.02 h (")
    assert cost[1].startswith("It would cost about 12.00 CAD (")


@pytest.mark.parametrize(
    ("limit", "ends", "verdict"),
    [
        (7000, "", ""),
        (4000, "; max_runtime (1.11 h) may stop it earlier.", "It may be stopped at its max_runtime of 1.11 h"),
        (
            3300,
            "; max_runtime (55.0 min) is expected to stop it.",
            "It is expected to be stopped at its max_runtime of",
        ),
        (1800, "; max_runtime (30.0 min) stops it before it ends.", "It is stopped at its max_runtime of 30.0 min"),
    ],
)
def test_how_certain_it_is_that_the_limit_stops_the_job_and_that_its_cost_is_cut(limit, ends, verdict):
    found = ESTIMATES.time._replace(limit=limit)
    _, time, cost = said(time=found)
    assert time[1] == f"It takes about 1.02 h (51.0 min to 1.68 h){ends or '.'}"
    assert ("cut at max_runtime" in cost[1]) is bool(verdict)
    assert stopped(found).startswith(verdict)
    assert bool(stopped(found)) is bool(verdict)


def test_a_limit_that_may_stop_the_job_is_named():
    _, (style, text), _ = said(time=ESTIMATES.time._replace(limit=4000))
    assert (style, text) == (
        "open",
        "It takes about 1.02 h (51.0 min to 1.68 h); max_runtime (1.11 h) may stop it earlier.",
    )


@pytest.mark.parametrize(
    ("budget", "style", "words"),
    [
        (Money(Decimal(20), "CAD"), "good", ", within the budget of 20.00 CAD."),
        (Money(Decimal("9.99"), "CAD"), "bad", ", above the budget of 9.99 CAD."),
        (Money(Decimal(10), "CAD"), "open", ", perhaps above the budget of 10.00 CAD."),
        (Money(Decimal(1), "USD"), "", "(10.00 to 20.00)."),
        (None, "", "(10.00 to 20.00)."),
    ],
)
def test_the_bill_is_held_against_the_budget(budget, style, words):
    spec = SimpleNamespace(budget=budget and SimpleNamespace(max_cost=budget))
    found = said(analysis=SimpleNamespace(spec=spec, document=ESTIMATES.analysis.document))[2]
    assert found[0] == style
    assert found[1].endswith(words)


def test_one_number_where_both_ends_are_the_same():
    exact = Cost("USD", (CostItem("instances", *[Decimal(3)] * 3, ""),))
    assert said(cost=exact)[2][1] == "It costs 3.00 USD."


def test_what_is_not_known_is_said_with_its_reason():
    unknown = {"time": "the counts", "cost": "the price of ml.x\x07"}
    _, time, cost = said(time=None, cost=None, unknown=unknown)
    assert time == ("open", "How long it takes is not known: it needs the counts.")
    assert cost == ("open", "What it costs is not known: it needs the price of ml.x␇.")


@pytest.mark.parametrize("verdict", Verdict)
def test_an_endpoint_has_a_sentence_of_its_own(verdict):
    *_, (_, text) = said(serving=SERVING._replace(verdict=verdict))
    assert ("fits:" in text) == (verdict is Verdict.FITS)
    assert text.endswith(": a GPU needs about 6.00 GB (6.00 GB to 7.00 GB) of 20.0 GB, at 1.52 USD/h.")
