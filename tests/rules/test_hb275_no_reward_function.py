"""HB275: GRPO without anything to score completions by."""

from __future__ import annotations

import pytest
from judged import codes, judged

NO_EDGE = "a function is in a list, of which `edge` changes no entry"
GRPO = "task: grpo\ndata: {type: prompt_only}\n"


def test_none_is_named(tmp_path):
    (found,) = judged("HB275", GRPO, tmp_path)
    assert (found.route, found.severity) == (("task",), "error")
    assert "HB275" not in codes(f"{GRPO}script: {{entry_point: finetune.py}}", tmp_path)  # which may have its own


@pytest.mark.parametrize(
    ("text", "named", "said"),
    [
        ("def correct(completions): ...", "correct", None),
        ("from lengths import short as correct", "correct", None),
        ("correct = max", "correct", None),
        ("class correct: ...", "correct", None),
        ("def corect(): ...", "correct", "it defines corect"),
        ("if True:\n    import os\n", "correct", "it defines nothing"),
        ("def correct(:", "correct", "is not Python"),
        (None, "correct", "mine.py"),
    ],
)
def test_a_file_defines_what_is_named(text, named, said, tmp_path):
    if text is not None:
        (tmp_path / "mine.py").write_text(text)
    found = judged("HB275", f"{GRPO}reward: {{functions: [mine.py:{named}]}}", tmp_path)
    assert [one.route for one in found] == ([("reward", "functions", 0)] if said else [])
    assert all(said in one.message for one in found)
