"""What is trained against what is served, and autoscaling's bounds."""

from __future__ import annotations

import pytest
from judged import judged


@pytest.mark.parametrize(
    ("count", "bounds", "nearest"),
    [(1, (1, 1), None), (2, (1, 4), None), (4, (1, 4), None), (5, (1, 4), 4), (1, (2, 4), 2)],
)
def test_the_count_stays_within_its_bounds(count, bounds, nearest, tmp_path):
    low, high = bounds
    fragment = f"deployment: {{instance: {{count: {count}}}, autoscaling: {{min: {low}, max: {high}}}}}"
    found = judged("HB510", fragment, tmp_path)
    assert [diagnostic.fixes[0].value for diagnostic in found] == ([] if nearest is None else [nearest])


def test_bounds_that_contradict_each_other_are_refused(tmp_path):
    (found,) = judged("HB024", "deployment: {autoscaling: {min: 3, max: 2}}", tmp_path)
    assert "min is 3 instances, above max 2" in found.message


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("trained", ["bf16", "fp16"])
def test_the_dtype_of_training_serves(trained, dtype, tmp_path):
    other = {"bf16": "fp16", "fp16": "bf16"}[trained]
    fragment = f"hyperparameters: {{{trained}: true, {other}: false}}\ndeployment: {{dtype: {dtype}}}"
    same = (trained == "bf16") == (dtype == "bfloat16")
    assert bool(judged("HB511", fragment, tmp_path)) is not same


@pytest.mark.parametrize("dtype", ["", ", dtype: float16"])
def test_a_gpu_without_bfloat16_has_no_choice(dtype, tmp_path):
    assert judged("HB511", f"deployment: {{instance: {{type: ml.g4dn.12xlarge}}{dtype}}}", tmp_path) == []


@pytest.mark.parametrize(
    ("method", "served", "warned"),
    [
        ("{method: qlora, bnb_quant_type: nf4}", "nf4", False),
        ("{method: qlora, bnb_quant_type: nf4}", "none", False),
        ("{method: qlora, bnb_quant_type: nf4}", "fp8", False),
        ("{method: qlora, bnb_quant_type: nf4}", "awq", True),
        ("{method: qlora, bnb_quant_type: fp4}", "nf4", True),
        ("{method: qlora, bnb_quant_type: int8, bnb_double_quant: null}", "nf4", False),
        ("{method: lora, bnb_quant_type: null, bnb_double_quant: null}", "gptq", False),
    ],
)
def test_adapters_are_served_on_the_weights_that_they_know(method, served, warned, tmp_path):
    fragment = f"hyperparameters: {method}\ndeployment: {{quantization: {served}}}"
    assert bool(judged("HB512", fragment, tmp_path)) is warned


@pytest.mark.parametrize(
    ("asked", "most", "warned"),
    [
        ("typical_input_tokens: 900, typical_output_tokens: 124", 1024, False),
        ("typical_input_tokens: 900, typical_output_tokens: 125", 1024, True),
        ("typical_input_tokens: 1025, typical_output_tokens: null", 1024, True),
        ("typical_output_tokens: 500", 1024, False),
        ("typical_output_tokens: 900", 1024, True),
        ("typical_input_tokens: 900, typical_output_tokens: 900", "null", False),
    ],
)
def test_the_typical_request_fits_the_longest(asked, most, warned, tmp_path):
    found = judged("HB513", f"deployment: {{{asked}, max_model_len: {most}}}", tmp_path)
    assert bool(found) is warned


SCRIPT = "script: {entry_point: finetune.py}\n"


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
    assert [diagnostic.message.partition(", and")[0] for diagnostic in found] == (
        [] if named is None else [f"line 3 of it sets a chat template (`{named}`)"]
    )


@pytest.mark.parametrize(
    "fragment", ["deployment: {adapters: merged}", "deployment: null", "hyperparameters: {method: full}"]
)
def test_merged_weights_bring_their_template(fragment, tmp_path):
    (tmp_path / "finetune.py").write_text("tokenizer.chat_template = CHATML\n", encoding="utf-8")
    assert judged("HB514", SCRIPT + fragment, tmp_path) == []


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"x" * 2**21])
def test_a_script_that_cannot_be_read_is_none_of_its_business(content, tmp_path):
    if content is not None:
        (tmp_path / "finetune.py").write_bytes(content)
    assert judged("HB514", SCRIPT, tmp_path) == []
