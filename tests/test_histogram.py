"""Histograms of lengths: cutting, padding and packing, on a few that can be counted by hand."""

from __future__ import annotations

import pytest

from hbspec.histogram import Histogram

FOUR = Histogram.of({30: 1, 10: 2, 20: 1})


def test_its_numbers():
    assert (FOUR.lengths, FOUR.counts) == ((10, 20, 30), (2, 1, 1))
    assert (FOUR.size, FOUR.total, FOUR.mean, FOUR.longest) == (4, 70, 17.5, 30)
    assert [FOUR.at(rank) for rank in range(4)] == [10, 10, 20, 30]


@pytest.mark.parametrize(
    ("cap", "above", "lost", "cut"),
    [
        (5, 4, 50, {5: 4}),
        (10, 2, 30, {10: 4}),
        (15, 2, 20, {10: 2, 15: 2}),
        (20, 1, 10, {10: 2, 20: 2}),
        (30, 0, 0, {10: 2, 20: 1, 30: 1}),
        (99, 0, 0, {10: 2, 20: 1, 30: 1}),
    ],
)
def test_a_cap(cap, above, lost, cut):
    assert (FOUR.above(cap), FOUR.lost(cap), FOUR.cut(cap)) == (above, lost, Histogram.of(cut))


def test_the_longest_of_a_micro_batch():
    """Of the six pairs of four examples one is of tens alone, two hold 20 and a ten, three hold the 30."""
    assert dict(FOUR.maximum(2)) == pytest.approx({10: 1 / 6, 20: 2 / 6, 30: 3 / 6})
    assert FOUR.padded(2) == pytest.approx((10 + 2 * 20 + 3 * 30) / 6)
    assert FOUR.padded_square(2) == pytest.approx((100 + 2 * 400 + 3 * 900) / 6)
    assert FOUR.padded(1) == FOUR.mean
    assert FOUR.padded(4) == FOUR.padded(99) == pytest.approx(30)


@pytest.mark.parametrize(
    ("lengths", "capacity", "rows"),
    [
        ({10: 6}, 30, 2),
        ({10: 7}, 30, 3),
        ({20: 3, 10: 3}, 30, 3),
        ({17: 2, 16: 2, 7: 3, 3: 2}, 30, 4),
        ({99: 4}, 30, 4),
        ({30: 2, 1: 1}, 30, 3),
    ],
)
def test_packing(lengths, capacity, rows):
    assert Histogram.of(lengths).packed(capacity) == rows


def test_rank_by_rank():
    assert FOUR.is_within(FOUR)
    assert FOUR.is_within(Histogram.of({10: 1, 11: 1, 20: 1, 31: 1}))
    assert not FOUR.is_within(Histogram.of({9: 1, 11: 1, 20: 1, 31: 1}))
    assert not FOUR.is_within(Histogram.of({10: 2, 19: 1, 99: 1}))
    assert not FOUR.is_within(Histogram.of({10: 2, 20: 2, 30: 2}))
