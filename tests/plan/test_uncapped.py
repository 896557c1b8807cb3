"""A run that cuts no example: its longest row is the longest example, or what the model has positions for."""

from __future__ import annotations

from pathlib import Path

import pytest

from hbspec.api import estimate

BASE = Path(__file__).parent.parent / "rules" / "base.yaml"


def estimates_of(fragment: str, folder: Path):
    """The estimates of a fragment over the base, whose longest example has 689 tokens."""
    (folder / "base.yaml").write_text(BASE.read_text().replace("  max_length: 704\n", ""))
    (folder / "spec.yaml").write_text(f"extends: ./base.yaml\n{fragment}\n")
    return estimate(folder / "spec.yaml")


@pytest.mark.parametrize("cap", ["none", "'none'"])
def test_with_known_lengths_the_longest_example_is_the_longest_row(cap, tmp_path):
    uncapped = estimates_of(f"hyperparameters: {{max_length: {cap}}}", tmp_path)
    exact = estimates_of("hyperparameters: {max_length: 689}", tmp_path)
    assert uncapped.plan.training.max_length == 689
    assert uncapped.analysis.memory == exact.analysis.memory


def test_null_says_the_same(tmp_path):
    (tmp_path / "spec.yaml").write_text(BASE.read_text().replace("max_length: 704", "max_length: null"))
    assert not estimate(tmp_path / "spec.yaml").plan.training.capped


def test_without_lengths_it_may_be_all_positions(tmp_path):
    plan = estimates_of("data: {tokens: null}\nhyperparameters: {max_length: none}", tmp_path).plan
    assert plan.training.max_length == plan.architecture.max_position_embeddings == plan.lengths.longest.high
    assert plan.lengths.longest.low < 100
    assert "the model's positions" in plan.lengths.source
