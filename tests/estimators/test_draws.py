"""The rows of a micro-batch are drawn at once, and as long as if each of its examples had been drawn."""

from __future__ import annotations

from random import Random
from statistics import quantiles

import pytest

from hbspec.estimators.training.draws import records
from hbspec.plan.lengths import given_lengths

LENGTHS = given_lengths(300, 700)


def test_the_longest_of_several_examples_is_drawn_at_once():
    random = Random(1)
    power = 700 / 300 - 1
    each = [max(max(1, round(random.random() ** power * 700)) for _ in range(8)) for _ in range(4000)]
    first = [records(LENGTHS, 10**6, 8, 1, seed)[0] / 10**6 * 700 for seed in range(4000)]  # of one micro-batch
    assert quantiles(first, n=10) == pytest.approx(quantiles(each, n=10), rel=0.03)


def test_a_huge_micro_batch_takes_one_draw_as_a_small_one_does(monkeypatch):
    drawn = []
    monkeypatch.setattr(Random, "random", lambda _: drawn.append(0.5) or 0.5)
    records(LENGTHS, 700, 10**6, 30, seed=0)
    assert len(drawn) == 30
