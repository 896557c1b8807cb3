"""A chat template in `check_data` refuses what the shipped script refuses."""

from __future__ import annotations

import pytest
from made_data import chat, line, written

from hbspec.catalog import catalog
from hbspec.chat_templates.trial import stand_in
from hbspec.dataset.check import check_data


@pytest.mark.parametrize("name", catalog().chat_templates)
def test_a_conversation_that_alternates_is_never_refused(name, tmp_path):
    data = written(tmp_path / "t.jsonl", line("user:q1", "assistant:a", "user:q2", "assistant:b"))
    assert not [*check_data(data, render=stand_in(catalog().chat_template(name))).tallies]


def test_a_line_is_refused_once(tmp_path):
    """An example without an answer is refused by the script itself, whatever the template says of it."""
    long = line("user:q2", "assistant:a", "user:b", "assistant:c")
    data = written(tmp_path / "t.jsonl", line("user:q1"), long, chat("q3", "a"))
    split, validation = (written(tmp_path / name, chat("q3", "a")) for name in ("u.jsonl", "v.jsonl"))
    render = stand_in(
        "{% for m in messages %}{% if loop.index > 2 %}{{ raise_exception('') }}{% endif %}{{ m.content }}{% endfor %}"
    )
    found = {(tally.defect.code, split.name): tally for tally, split in check_data(data, render=render).tallies}
    assert found["HB062", "training"].count == 1
    assert found["HB062", "training"].what
    assert "HB062" not in {tally.defect.code for tally, _ in check_data(split, validation, render=render).tallies}
