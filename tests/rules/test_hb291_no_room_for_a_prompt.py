"""HB291: completions as long as prompt and completion together."""

from __future__ import annotations

import pytest
from judged import codes

NO_EDGE = "HB270 is listed with it, and alone where it is gone"
GRPO = "task: grpo\ndata: {type: prompt_only, tokens: {mean: 100, max: 200}}\nreward: {functions: [finetune.py:train]}"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("max_length: 513", False),
        ("max_length: 512", True),
        ("max_length: 704, max_completion_length: 703", False),
        ("max_length: 704, max_completion_length: 704", True),
        ("max_length: none, max_completion_length: 4096", False),
    ],
)
def test_a_prompt_has_room(settings, told, tmp_path):
    assert ("HB291" in codes(f"{GRPO}\nhyperparameters: {{{settings}}}", tmp_path)) is told
