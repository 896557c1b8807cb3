"""Intervals and verdicts against exact binomial sums, and their coverage by enumeration."""

from __future__ import annotations

import math

import pytest
from paired import compare, mcnemar
from significance import (
    FAILED,
    NOT_DECIDED,
    PASSED,
    Ends,
    betainc,
    clusters,
    exact,
    intervals,
    items_needed,
    items_that_can_pass,
    share,
    t_quantile,
    verdict,
)


def at_least(count: int, items: int, chance: float) -> float:
    """The probability of `count` right answers or more, by its definition."""
    return math.fsum(
        math.comb(items, right) * chance**right * (1 - chance) ** (items - right) for right in range(count, items + 1)
    )


@pytest.mark.parametrize("items", [1, 2, 17, 36, 200])
def test_the_exact_interval_solves_its_equations(items: int) -> None:
    for right in range(items + 1):
        ends = exact(right, items)
        if right:
            assert at_least(right, items, ends.low) == pytest.approx(0.025, rel=1e-9)
        if right < items:
            assert 1 - at_least(right + 1, items, ends.high) == pytest.approx(0.025, rel=1e-7)
    assert exact(0, items).low == 0
    assert exact(items, items) == Ends(pytest.approx(0.025 ** (1 / items), rel=1e-12), 1.0)


@pytest.mark.parametrize(("first", "second"), [(3, 5), (40, 2), (150, 151)])
def test_the_beta_function_is_a_binomial_tail(first: int, second: int) -> None:
    """https://dlmf.nist.gov/8.17.E5"""
    for value in (0.01, 0.3, 0.5, 0.77, 0.99):
        assert betainc(first, second, value) == pytest.approx(at_least(first, first + second - 1, value), rel=1e-9)


@pytest.mark.parametrize(("freedom", "quantile"), [(1, 12.7062047), (2, 4.3026527), (9, 2.2621572), (120, 1.9799304)])
def test_students_quantile_is_the_printed_one(freedom: int, quantile: float) -> None:
    """https://www.itl.nist.gov/div898/handbook/eda/section3/eda3672.htm"""
    assert t_quantile(0.975, freedom) == pytest.approx(quantile, rel=1e-7)


@pytest.mark.parametrize("templates", [5, 10, 20, 40])
def test_with_items_of_a_template_all_alike_the_lower_end_is_too_high_in_at_most_one_of_40(templates: int) -> None:
    """Five items of a template that are all right or all wrong: every outcome, and every share in steps of 1/200."""
    names = [str(name) for name in range(templates) for _ in range(5)]
    lows = [
        intervals(clusters([float(int(name) < right) for name in names], names))[2].low
        for right in range(templates + 1)
    ]
    for chance in (step / 200 for step in range(1, 200)):
        missed = math.fsum(
            math.comb(templates, right) * chance**right * (1 - chance) ** (templates - right)
            for right, low in enumerate(lows)
            if low > chance
        )
        assert missed <= 0.025, chance


def test_the_two_ends_mirror_one_another() -> None:
    names = [str(number // 4) for number in range(40)]
    right = [number % 7 != 0 for number in range(40)]
    ends, mirrored = share(right, names).ends, share([not one for one in right], names).ends
    assert mirrored == (pytest.approx(1 - ends.high), pytest.approx(1 - ends.low))


def test_templates_of_one_item_count_as_items_do() -> None:
    right, names = [True] * 30 + [False] * 6, [str(number) for number in range(36)]
    found = share(right, names)
    assert found.by_template.low == pytest.approx(found.by_item.low, abs=0.01)
    assert found.ends.low <= found.by_item.low
    assert found.ends.high >= found.by_item.high


def test_items_that_are_alike_say_less() -> None:
    alike = share([True] * 180 + [False] * 20, [str(number // 5) for number in range(200)])
    apart = share([True] * 180 + [False] * 20, [str(number) for number in range(200)])
    assert alike.by_item == apart.by_item
    assert alike.ends.low < apart.ends.low
    assert alike.ends.high > apart.ends.high


def test_one_template_decides_nothing() -> None:
    found = share([True] * 500, ["one"] * 500)
    assert (found.by_template, found.ends) == (None, (0.0, 1.0))
    assert items_needed([True] * 500, ["one"] * 500, 0.9) is None


@pytest.mark.parametrize(
    ("ends", "said"),
    [((0.9, 1.0), PASSED), ((0.899, 1.0), NOT_DECIDED), ((0.7, 0.9), NOT_DECIDED), ((0.7, 0.899), FAILED)],
)
def test_only_a_whole_interval_decides(ends: tuple[float, float], said: str) -> None:
    assert verdict(Ends(*ends), 0.9) == said


@pytest.mark.parametrize("least", [0.5, 0.8, 0.9, 0.95, 0.99])
def test_fewer_items_than_can_pass_cannot(least: float) -> None:
    fewest = items_that_can_pass(least)
    assert 0.025 ** (1 / fewest) >= least > 0.025 ** (1 / (fewest - 1))


def test_no_number_of_items_is_enough_for_a_score_of_one() -> None:
    assert items_that_can_pass(1.0) is None


def test_so_many_items_as_are_needed_decide() -> None:
    right, names = [True] * 19 + [False], [str(number) for number in range(20)]
    needed = items_needed(right, names, 0.8)
    times = math.ceil(needed / 20)
    assert verdict(share(right * times, [str(number) for number in range(20 * times)]).ends, 0.8) == PASSED
    assert verdict(share(right, names).ends, 0.8) == NOT_DECIDED
    assert items_needed(right, names, 0.95) is None


class TestTwoModels:
    @pytest.mark.parametrize(("lost", "won"), [(0, 0), (0, 5), (0, 6), (3, 15), (10, 10), (40, 70)])
    def test_mcnemar_is_a_sum_of_coin_tosses(self, lost: int, won: int) -> None:
        tail = sum(math.comb(lost + won, count) for count in range(min(lost, won) + 1))
        assert mcnemar(lost, won) == mcnemar(won, lost) == pytest.approx(min(1, 2 * tail / 2 ** (lost + won)))

    def test_the_long_sum_is_the_short_one(self) -> None:
        exactly = 2 * sum(math.comb(1001, count) for count in range(460)) / 2**1001
        assert mcnemar(459, 542) == pytest.approx(exactly, rel=1e-9)

    def test_one_that_is_better_is_said_to_be(self) -> None:
        names = [str(number) for number in range(60)]
        found = compare([True] * 30 + [False] * 30, [True] * 50 + [False] * 10, names)
        assert (found.only_first, found.only_second, found.difference) == (0, 20, pytest.approx(1 / 3))
        assert found.effect == 0.5
        assert found.verdict == "better"
        assert compare([True] * 50 + [False] * 10, [True] * 30 + [False] * 30, names).verdict == "worse"

    def test_a_difference_in_one_template_alone_is_not_one(self) -> None:
        names = ["same" if number < 20 else str(number) for number in range(60)]
        first, second = [False] * 20 + [True] * 40, [True] * 60
        found = compare(first, second, names)
        assert found.p_value < 1e-5
        assert found.verdict == NOT_DECIDED
        assert compare(first, second, ["one"] * 60).verdict == NOT_DECIDED

    def test_two_templates_that_differ_alike_are_not_certainty(self) -> None:
        found = compare([False] * 8, [True] * 8, ["a"] * 4 + ["b"] * 4)
        assert found.p_value < 0.01
        assert found.verdict == NOT_DECIDED

    def test_equal_models_have_no_effect(self) -> None:
        found = compare([True, False], [True, False], ["a", "b"])
        assert (found.p_value, found.effect, found.verdict) == (1.0, None, NOT_DECIDED)
