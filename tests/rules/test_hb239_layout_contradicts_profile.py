"""HB239: a profile of data that are laid out otherwise."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged

PROFILED = "data: {tokens: null, profile: ./pairs.profile.json, train: {examples: 1758}, type: prompt_completion}"


def test_the_edge_is_the_format(tmp_path):
    codes("", tmp_path)  # puts the profiles there
    edge("HB239", PROFILED, "data.format", "standard", "conversational", tmp_path)


@pytest.mark.parametrize("layout", ['{"type": 3, "format": "standard"}', '"text"'])
def test_a_layout_that_is_none_makes_no_profile(layout, tmp_path):
    codes("", tmp_path)
    written = (tmp_path / "pairs.profile.json").read_text()
    changed = written.replace('{"type": "prompt_completion", "format": "standard"}', layout)
    assert changed != written
    (tmp_path / "pairs.profile.json").write_text(changed)
    assert "HB239" not in codes(PROFILED, tmp_path)
    (found,) = judged("HB032", PROFILED, tmp_path)
    assert "`layout` does not hold a `type` and a `format`" in found.message


def test_the_profile_of_alpaca_is_of_no_job(tmp_path):
    codes("", tmp_path)
    path = tmp_path / "pairs.profile.json"
    path.write_text(path.read_text().replace('"prompt_completion", "format": "standard"', '"Alpaca", "format": ""'))
    (found,) = judged("HB239", PROFILED.replace("type: prompt_completion", "format: messages"), tmp_path)
    assert "the profile is of Alpaca data" in found.message
