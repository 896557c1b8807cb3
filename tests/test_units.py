"""Texts to quantities: what is read, and what is refused because it could mean two things."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hbspec.digits import UnitError
from hbspec.parsing import parse_bytes, parse_count, parse_money, parse_rate, parse_seconds

PARSERS = {
    "{} USD": lambda text: float(parse_money(text).amount),
    "{} USD/h": lambda text: float(parse_rate(text).per_hour),
    "{}s": parse_seconds,
    "{} B": parse_bytes,
    "{}": parse_count,
}


@given(st.text("0123456789,", min_size=1, max_size=12), st.sampled_from(sorted(PARSERS)))
def test_commas_stand_between_groups_of_three_digits_or_nothing_is_read(digits, form):
    groups = digits.split(",")
    plain = len(groups) == 1
    grouped = re.fullmatch("[1-9].{0,2}", groups[0]) and all(len(group) == 3 for group in groups[1:])
    if plain or grouped:
        assert PARSERS[form](form.format(digits)) == int(digits.replace(",", ""))
    else:
        with pytest.raises(UnitError):
            PARSERS[form](form.format(digits))


@given(st.decimals(1, 10**9, places=2), st.sampled_from(sorted(set(PARSERS) - {"{} B"})))
def test_a_grouped_number_with_decimals_is_itself(number, form):
    assert PARSERS[form](form.format(f"{number:,}")) == pytest.approx(float(number))


@given(st.integers(0, 999), st.integers(0, 99), st.sampled_from(sorted(PARSERS)))
def test_a_decimal_comma_is_told_with_both_readings(whole, cents, form):
    with pytest.raises(UnitError) as refused:
        PARSERS[form](form.format(f"{whole},{cents:02}"))
    assert refused.value.action == f"write {whole}.{cents:02}, or {int(f'{whole}{cents:02}')} if that is meant"


@pytest.mark.parametrize(
    "text", ["--1", "1-1", "+-1", "1.2.3", "1..2", "1__0", "_1", "1_", "1,000_0", "1e400", "1e9999999999999999999",
             "1E1000000",
             "nan", "inf", "", " ", "\u0663", "\uff11", "1 2", "0,5", "0,500", "1.234,56", "1,,000", "1,0,000", "0x10"]
)  # fmt: skip
@pytest.mark.parametrize("form", PARSERS)
def test_what_is_not_one_number_is_refused(form, text):
    with pytest.raises(UnitError):
        PARSERS[form](form.format(text))


@pytest.mark.parametrize("text", ["3h-1h", "-1h30m", "1h+30m", "1h -30m", "1h 30", "1h3", "30m1h", "1h1h", "1h,30m"])
def test_a_duration_of_several_parts_is_their_sum_from_the_largest_down(text):
    with pytest.raises(UnitError):
        parse_seconds(text)
    assert parse_seconds("1d 2h 30m") == 95_400
