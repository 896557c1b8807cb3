"""Where a finding is shown: at the value that is wrong, and at the key where the key is what is wrong."""

from __future__ import annotations

from pathlib import Path

from hbspec.api import check
from hbspec.diagnostics import Position

BASE = (Path(__file__).parent / "base.yaml").read_text()


def the_only(tmp_path, text):
    (tmp_path / "spec.yaml").write_text(text)
    (found,) = check(tmp_path / "spec.yaml").diagnostics
    return found


def test_an_unknown_key_is_shown_at_the_key(tmp_path):
    text = BASE.replace("  lora_r: 16", "  lora_rank: 16")
    found = the_only(tmp_path, text)
    line = text.splitlines().index("  lora_rank: 16") + 1
    assert found.code == "HB020"
    assert (found.span.start, found.span.end) == (Position(line, 3), Position(line, 12))


def test_a_wrong_value_is_shown_at_the_value(tmp_path):
    found = the_only(tmp_path, BASE.replace("  lora_r: 16", "  lora_r: sixteen"))
    assert found.code == "HB022"
    assert found.span.start.column == len("  lora_r: ") + 1
