"""The section of an endpoint: what is printed where it is known, and what is left out where it is not."""

from __future__ import annotations

import io
from decimal import Decimal

from hbspec.estimators.serving.cost import Charge, Charges
from hbspec.estimators.serving.curve import Held
from hbspec.estimators.serving.load import Load
from hbspec.render.paint import write
from hbspec.render.serving import serving_lines
from hbspec.units import Interval, Money

from .made_serving import SERVING

LOAD = Load(
    4,
    56,
    Interval(0.1, 0.2, 0.4),
    Interval(10, 15, 30),
    Interval(30, 50, 90),
    Interval(15, 30, 45),
    Interval(320, 480, 960),
)
CHARGES = Charges(
    Money(Decimal("3.00"), "USD"),
    {
        name: Charge(Decimal("1.50") * hours, Decimal("3.00") * hours, Decimal("6.00") * hours, "USD")
        for name, hours in (("hourly", 1), ("daily", 24), ("monthly", 720))
    },
)


def printed(serving, within=None, width=None):
    stream = io.StringIO()
    write(serving_lines(serving, within, width), stream)
    return [" ".join(line.split()) for line in stream.getvalue().splitlines()]


def test_a_load_is_said_for_each_and_for_all():
    lines = printed(SERVING._replace(load=LOAD))
    assert "concurrent requests 56 of typical length" in lines
    assert "tokens per second 10.0 to 30.0 (expected 15.0) per request, 4 concurrent" in lines
    assert "first token 100 ms to 400 ms (expected 200 ms) 4 concurrent" in lines
    assert "typical answer 15.0 s to 45.0 s (expected 30.0 s) 4 concurrent" in lines
    assert "tokens per second 30.0 to 90.0 (expected 50.0) per instance, 4 concurrent, including prefill" in lines
    assert "requests per hour 320 to 960 (expected 480) per instance, 4 concurrent" in lines


def test_one_request_is_not_said_twice():
    lines = printed(SERVING._replace(load=LOAD._replace(concurrency=1)))
    assert not any("per request" in line for line in lines)
    assert any("1 concurrent, including prefill" in line for line in lines)


def test_what_is_held_at_the_expected_latency_is_one_line():
    lines = printed(SERVING._replace(load=LOAD), Held(45.0, 3, 11), 80)
    assert "within 45.0 s 3 (expected 11) concurrent requests" in lines
    lines = printed(SERVING._replace(load=LOAD), Held(0.5, 0, 0), 80)
    assert "within 500 ms 0 concurrent requests" in lines
    assert not any(line.startswith("within") for line in printed(SERVING._replace(load=LOAD)))


def test_bounds_of_autoscaling_and_the_price_of_answers():
    answers = Charge(Decimal("3.125"), Decimal("6.25"), Decimal("9.375"), "USD")
    lines = printed(SERVING._replace(charges=CHARGES, cost_per_1000_answers=answers, load=LOAD))
    assert "cost 3.00 USD/h 72.00 USD per day, 2,160.00 USD per month" in lines
    assert "with autoscaling 1.50 USD to 6.00 USD/h 1,080.00 USD to 4,320.00 USD per month" in lines
    assert "1,000 answers 3.12 USD to 9.38 USD at 4 requests at any time" in lines


def test_the_baseline_of_a_test_is_not_in_the_bill():
    left_out = {"baseline today": "its instances are the live endpoint's"}
    lines = printed(SERVING._replace(charges=CHARGES._replace(left_out=left_out)))
    assert "left out baseline today its instances are the live endpoint's" in lines


def test_a_described_baseline_is_in_the_bill():
    lines = printed(SERVING._replace(charges=CHARGES._replace(baseline=Money(Decimal("1.25"), "USD"))))
    assert "of it baseline 1.25 USD/h of instances that are billed already" in lines


def test_nothing_is_said_of_what_is_not_known():
    lines = printed(SERVING._replace(charges=None))
    assert not any(line.startswith(("cost", "with autoscaling", "1,000 answers")) for line in lines)
