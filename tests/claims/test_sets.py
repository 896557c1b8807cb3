"""What a claim's words allow."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbspec.claims.sets import ClaimSet, parse_claim
from hbspec.claims.verify import CONFIRMED, CONTRADICTED, UNDECIDED, verdict
from hbspec.digits import UnitError
from hbspec.units import Interval


@pytest.mark.parametrize(
    ("text", "kind", "low", "high"),
    [
        ("32", "count", 32, 32),
        ("9600", "count", 9600, 9600),
        ("9,600", "count", 9600, 9600),
        ("32_763_876_352", "count", 32_763_876_352, 32_763_876_352),
        ("~9600", "count", 9504, 9696),
        ("9.6K", "count", 9504, 9696),
        ("9600.0", "count", 9504, 9696),
        ("1e3", "count", 500, 1500),
        ("536.9M", "count", 531.531e6, 542.269e6),
        ("2", "ratio", 1.5, 2.5),
        ("4.4", "ratio", 4.35, 4.45),
        ("4.40", "ratio", 4.356, 4.444),
        ("32.7B", "count", 32.373e9, 33.027e9),
        ("131 GB", "bytes", 129.69e9, 132.31e9),
        ("65 GB", "bytes", 64.35e9, 65.65e9),
        ("..35 GB", "bytes", -inf, 35e9),
        ("..35.0 GB", "bytes", -inf, 35e9),
        ("10h..14h", "seconds", 36_000, 50_400),
        ("2s..3s", "seconds", 2, 3),
        ("20h..", "seconds", 72_000, inf),
        ("16..32", "count", 16, 32),
        ("..1h", "seconds", -inf, 3600),
        ("0.03 USD..0.05 USD", "money", 0.03, 0.05),
        ("1 USD/h..2 USD/h", "rate", 1, 2),
        ("1 USD/h..48 USD/day", "rate", 1, 2),
        ("525 CAD", "money", 519.75, 530.25),
        ("32.77 USD/h", "rate", 32.4423, 33.0977),
        ("0.75 USD/h", "rate", 0.7425, 0.7575),
        ("18 USD", "money", 17.5, 18.5),
        ("2s", "seconds", 1.5, 2.5),
        ("1h30m", "seconds", 5346, 5454),
        ("1h1m", "seconds", 3623.4, 3696.6),
    ],
)
def test_sets(text, kind, low, high):
    claim = parse_claim(text, kind)
    assert (claim.low, claim.high) == (pytest.approx(low), pytest.approx(high))


def test_the_ends_of_a_range_are_kept_as_they_are_written():
    claim = parse_claim("10h..14h", "seconds")
    assert (claim.low, claim.high) == (36_000, 50_400)


@pytest.mark.parametrize(
    ("text", "kind"),
    [("16", "bytes"), ("..", "seconds"), ("3h..2h", "seconds"), ("525", "money"), ("x", "count"), ("5 GB", "seconds")],
)
def test_refused_with_how_it_is_written(text, kind):
    with pytest.raises(UnitError, match=r"a\.\.b") as refused:
        parse_claim(text, kind)
    assert text in str(refused.value)


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("0 USD..20 JPY", "money", "two currencies, USD and JPY"),
        ("1 USD/h..1.6 JPY/h", "rate", "two currencies, USD and JPY"),
        ("1 USD/h..20 USD/day", "rate", "is empty"),
        ("60,00", "count", "write 60.00, or 6000 if that is meant"),
        ("4,35", "ratio", "write 4.35, or 435 if that is meant"),
        ("1h-3h", "seconds", "a range is written 1h..3h"),
        ("1 h \u2013 3 h", "seconds", "a range is written 1 h..3 h"),
        ("0.70 USD to 1.82 USD", "money", "a range is written 0.70 USD..1.82 USD"),
        ("30-40 GB", "bytes", "a range is written 30 GB..40 GB"),
        ("10-20", "count", "a range is written 10..20"),
        ("1...3h", "seconds", "more than two dots"),
        ("1..2..3", "ratio", "'2..3'"),
        ("1h 30", "seconds", "'1h 30'"),
        ("--1", "count", "'--1'"),
        ("1e400", "count", "out of range"),
        ("nan", "ratio", "'nan'"),
        ("inf", "ratio", "'inf'"),
        ("", "count", "''"),
        ("\u0663h", "seconds", "is not a number"),
        ("1__000", "count", "is not a number"),
    ],
)
def test_what_could_be_read_in_two_ways_is_not_read(text, kind, says):
    with pytest.raises(UnitError) as refused:
        parse_claim(text, kind)
    assert says in str(refused.value)


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


@pytest.mark.parametrize("claimed", [31, 33])
def test_a_batch_that_is_off_by_one_is_contradicted(claimed):
    assert verdict(Interval.exact(32), parse_claim(str(claimed), "count")) == CONTRADICTED


def test_twice_the_epochs_are_contradicted():
    assert verdict(Interval.exact(1), parse_claim("2", "ratio")) == CONTRADICTED


@given(st.integers(0, 10**12), st.integers(-(10**6), 10**6))
def test_a_count_in_full_digits_is_confirmed_by_itself_alone(count, off):
    claim = parse_claim(f"{count:,}", "count")
    assert verdict(Interval.exact(count + off), claim) == (CONTRADICTED if off else CONFIRMED)


@given(st.decimals(0, 10**6, places=3), st.integers(0, 3))
def test_a_number_rounded_as_it_is_written_is_confirmed(number, places):
    written = f"{number:.{places}f}"
    assert verdict(Interval.exact(float(number)), parse_claim(written, "ratio")) == CONFIRMED
