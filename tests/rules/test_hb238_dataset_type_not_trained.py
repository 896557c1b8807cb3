"""HB238: data that the shipped script does not train."""

from __future__ import annotations

import pytest
from judged import codes, edge, judged


def test_the_edge_is_the_type(tmp_path):
    edge("HB238", "", "data.type", "prompt_completion", "unpaired_preference", tmp_path)


@pytest.mark.parametrize("layout", ["alpaca", "sharegpt"])
def test_a_layout_that_is_not_trl_s(layout, tmp_path):
    (found,) = judged("HB238", f"data: {{format: {layout}}}", tmp_path)
    assert (found.route, found.severity) == (("data", "format"), "error")
    assert "hbspec data convert" in found.help


@pytest.mark.parametrize("data", ["{type: preference}", "{format: alpaca}"])
def test_your_script_may_train_it(data, tmp_path):
    assert "HB238" not in codes(f"data: {data}\nscript: {{entry_point: finetune.py}}", tmp_path)


@pytest.mark.parametrize("written", ["messages", "conversational", "standard"])
def test_formats_of_trl_are_read(written, tmp_path):
    assert codes(f"data: {{format: {written}}}", tmp_path) == set()
