"""The closed form against every recorded trace."""

from __future__ import annotations

from statistics import median

import pytest

from oracle.agreement import LIMIT, MEDIAN, agreement
from oracle.record import recorded

TRACES = recorded()[1]


@pytest.mark.parametrize("case", TRACES, ids=lambda case: case.text)
def test_the_closed_form_is_within_half_a_percent_of_the_trace(case):
    found = agreement(case, TRACES[case])
    assert abs(found.error) <= LIMIT, f"{found.closed:,} at {found.moment}, traced {found.traced:,} at {found.at}"


def test_the_closed_form_is_within_a_tenth_of_a_percent_in_the_median():
    assert median(abs(agreement(case, entry).error) for case, entry in TRACES.items()) <= MEDIAN
