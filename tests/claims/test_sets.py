"""What a claim's words allow."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbspec.claims.sets import ClaimSet, parse_claim
from hbspec.claims.verify import CONFIRMED, CONTRADICTED, UNDECIDED, verdict
from hbspec.units import Interval, UnitError


@pytest.mark.parametrize(
    ("text", "kind", "low", "high"),
    [
        ("32", "count", 31, 33),
        ("4.4", "count", 4.3, 4.5),
        ("4.40", "count", 4.356, 4.444),
        ("9600", "count", 9504, 9696),
        ("32.7B", "count", 32.373e9, 33.027e9),
        ("131 GB", "bytes", 129.69e9, 132.31e9),
        ("65 GB", "bytes", 64e9, 66e9),
        ("..35 GB", "bytes", -inf, 35e9),
        ("10h..14h", "seconds", 36_000, 50_400),
        ("2s..3s", "seconds", 2, 3),
        ("20h..", "seconds", 72_000, inf),
        ("525 CAD", "money", 519.75, 530.25),
        ("32.77 USD/h", "rate", 32.4423, 33.0977),
        ("0.75 USD/h", "rate", 0.74, 0.76),
    ],
)
def test_sets(text, kind, low, high):
    claim = parse_claim(text, kind)
    assert (claim.low, claim.high) == (pytest.approx(low), pytest.approx(high))


@pytest.mark.parametrize(
    ("text", "kind"),
    [("16", "bytes"), ("..", "seconds"), ("3h..2h", "seconds"), ("525", "money"), ("x", "count"), ("5 GB", "seconds")],
)
def test_refused_with_how_it_is_written(text, kind):
    with pytest.raises(UnitError, match=r"a\.\.b") as refused:
        parse_claim(text, kind)
    assert text in str(refused.value)


NUMBERS = st.floats(0, 1e12)


@given(st.lists(NUMBERS, min_size=3, max_size=3).map(sorted), st.lists(NUMBERS, min_size=2, max_size=2).map(sorted))
def test_verdict_is_set_inclusion(ours, claimed):
    computed, claim = Interval(*ours), ClaimSet(*claimed)
    inside = claim.low <= computed.low and computed.high <= claim.high
    disjoint = computed.high < claim.low or claim.high < computed.low
    assert verdict(computed, claim) == (CONFIRMED if inside else CONTRADICTED if disjoint else UNDECIDED)


@given(NUMBERS)
def test_an_exact_quantity_is_never_undecided(value):
    assert verdict(Interval.exact(value), parse_claim("100", "count")) != UNDECIDED
