"""HB514: a chat template that the training script sets."""

from __future__ import annotations

import pytest
from judged import edge, judged

SCRIPT = "script: {entry_point: finetune.py}\n"


def test_the_edge_is_an_assignment(tmp_path):
    line = "tokenizer.chat_template = CHATML"
    (tmp_path / "sets.py").write_text(f"{line}\n", encoding="utf-8")
    (tmp_path / "compares.py").write_text(f"if {line.replace('=', '==')}:\n    pass\n", encoding="utf-8")
    edge("HB514", SCRIPT, "script.entry_point", "compares.py", "sets.py", tmp_path)


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ("tokenizer.chat_template = CHATML", "chat_template"),
        ("text = tokenizer.apply_chat_template(messages, chat_template=CHATML)", "chat_template"),
        ('SFTConfig(chat_template_path="Qwen/Qwen3-4B")', "chat_template_path"),
        ("model, tokenizer = setup_chat_format(model, tokenizer)", "setup_chat_format"),
        ('tokenizer = get_chat_template(tokenizer, "chatml")', "get_chat_template"),
        ("text = tokenizer.apply_chat_template(messages)", None),
        ("if tokenizer.chat_template == CHATML:", None),
        ("# tokenizer.chat_template = CHATML", None),
    ],
)
def test_a_script_that_sets_a_template(line, named, tmp_path):
    (tmp_path / "finetune.py").write_text(f"import trl\n\n{line}\n", encoding="utf-8")
    found = judged("HB514", SCRIPT, tmp_path)
    assert [diagnostic.message.partition(", but")[0] for diagnostic in found] == (
        [] if named is None else [f"line 3 of the script sets a chat template (`{named}`)"]
    )


@pytest.mark.parametrize(
    "fragment", ["deployment: {adapters: merged}", "deployment: null", "hyperparameters: {method: full}"]
)
def test_merged_weights_bring_their_template(fragment, tmp_path):
    (tmp_path / "finetune.py").write_text("tokenizer.chat_template = CHATML\n", encoding="utf-8")
    assert judged("HB514", SCRIPT + fragment, tmp_path) == []


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"x" * 2**21])
def test_a_script_that_cannot_be_read_is_left_to_hb611(content, tmp_path):
    if content is not None:
        (tmp_path / "finetune.py").write_bytes(content)
    assert judged("HB514", SCRIPT, tmp_path) == []
