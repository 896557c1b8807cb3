"""HB266: flash attention without a 16-bit format."""

from __future__ import annotations

import pytest
from judged import codes, found_by, judged

NO_EDGE = "HB261 explains it at the key that switches 16-bit formats off"
FLASH = "hyperparameters: {bf16: %s, attn_implementation: flash_attention_2}\n"
OWN = "deployment: null\nscript: {entry_point: finetune.py}\n"


def test_it_follows_from_what_is_switched_off(tmp_path):
    assert codes(FLASH % "false", tmp_path) == {"HB261"}
    (found,) = found_by("HB266", FLASH % "false", tmp_path)
    assert found.message == ("flash_attention_2 computes in float16 or bfloat16, but bf16 and fp16 are not set")


@pytest.mark.parametrize("fragment", [FLASH % "true", FLASH % "null", "hyperparameters: {bf16: false}"])
def test_sixteen_bits_and_other_kernels(fragment, tmp_path):
    assert found_by("HB266", fragment, tmp_path) == []


def test_the_group_is_an_error(tmp_path):
    (found,) = judged("HB261", FLASH % "false", tmp_path)
    assert (found.severity, found.also[0][0]) == ("error", "HB266")


def test_a_script_may_load_weights_in_sixteen_bits(tmp_path):
    (found,) = found_by("HB266", OWN + FLASH % "false", tmp_path)
    assert found.severity == "warning"
    assert found_by("HB266", f"{OWN}{FLASH % 'false'}software: {{weights_dtype: bfloat16}}", tmp_path) == []
