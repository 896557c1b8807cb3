"""HB672: at the script, from both sides; which code lacks it is tested with HB670."""

from __future__ import annotations

from judged import edge, judged

SPEC = "deployment: null\nscript: {entry_point: train.py}"


def test_a_name_in_the_code(tmp_path):
    (tmp_path / "train.py").write_text("trainer.train()")
    (found,) = judged("HB672", SPEC, tmp_path)
    assert found.route == ("script", "entry_point")
    assert found.message.startswith("train.py trains, but handles no SIGTERM: ")
    (tmp_path / "train.py").write_text("trainer.train(signal=True)")
    assert judged("HB672", SPEC, tmp_path) == []


def test_the_edge(tmp_path):
    edge("HB672", SPEC, "script.entry_point", "own_silent.py", "own_killed.py", tmp_path)
