"""The difference of two sums that share unknowns holds every difference that the unknowns can make."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from hbspec.comparison.parts import SAME, Difference, Unknown, between, hull, unrelated
from hbspec.units import Interval

SIZES = st.floats(0, 1e6)
COUNTS = st.sampled_from([0.0, 1.0, 2.5, 300.0])


@st.composite
def intervals(draw):
    return Interval(*sorted(draw(st.tuples(SIZES, SIZES, SIZES))))


PARTS = st.lists(st.builds(Unknown, intervals(), COUNTS, COUNTS), min_size=1, max_size=4)


@given(PARTS, intervals(), intervals())
def test_the_ends_are_reached_and_never_passed(parts, first, other):
    """A difference is linear in each unknown, so its extremes are at their ends, and each of these is tried."""
    low, high = hull([tuple(parts)], (first, other))
    ends = [(part.size.low, part.size.high) for part in parts]
    made = [
        two * sum(part.other * size for part, size in zip(parts, sizes, strict=True))
        - one * sum(part.first * size for part, size in zip(parts, sizes, strict=True))
        for sizes in product(*ends)
        for one in (first.low, first.high)
        for two in (other.low, other.high)
    ]
    slack = 1e-6 * (1 + max(map(abs, made)))
    assert low <= min(made) + slack
    assert max(made) - slack <= high
    if first.is_exact and other.is_exact:
        assert abs(low - min(made)) <= slack
        assert abs(high - max(made)) <= slack


def test_what_both_have_cancels():
    shared = Interval(1, 5, 100)
    assert hull([(Unknown(shared, 1, 1), Unknown(Interval(2, 3, 4), 0, 1))]) == (2, 4)
    assert hull([(Unknown(shared, 2, 3),)]) == (1, 100)


def test_several_cases_are_all_held():
    assert hull([(Unknown(Interval.exact(1), 1, 0),), (Unknown(Interval.exact(3), 0, 1),)]) == (-1, 3)


@given(intervals(), intervals(), st.tuples(st.floats(-1e7, 1e7), st.floats(-1e7, 1e7)))
def test_never_wider_than_without_anything_shared(first, other, ends):
    found, apart = between((min(ends), max(ends)), first, other), unrelated(first, other)
    assert apart.low <= found.low
    assert found.high <= apart.high
    assert found.low <= found.expected == apart.expected <= found.high


def test_certain_means_that_zero_is_outside():
    assert Difference(Interval(1, 2, 3)).certain
    assert Difference(Interval(-3, -2, -1)).certain
    assert not Difference(Interval(0, 2, 3)).certain
    assert not Difference(Interval(-1, 0, 1)).certain
    assert not SAME.certain
