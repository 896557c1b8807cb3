"""The closed form against every recorded trace."""

from __future__ import annotations

from statistics import median

import pytest

from oracle.agreement import LIMIT, MEDIAN, agreement
from oracle.case import parse
from oracle.record import recorded, trace_of

TRACES = recorded()[1]

SMALL = "tokens=128,layers=2"
KEPT = "gradient_checkpointing=false"
ELSEWHERE = (
    f"toy-qwen2,{SMALL},target_modules=q_proj,modules_to_save=input_layernorm",
    f"toy-qwen2,{SMALL},{KEPT},target_modules=q_proj,modules_to_save=input_layernorm+post_attention_layernorm+norm",
    f"toy-qwen2,{SMALL},{KEPT},method=qlora,target_modules=q_proj,modules_to_save=norm",
    f"toy-qwen3,{SMALL},{KEPT},target_modules=o_proj,modules_to_save=q_norm",
    f"toy-gemma3,{SMALL},{KEPT},target_modules=q_proj,modules_to_save=embed_tokens",
    f"toy-qwen2,{SMALL},target_modules=q_proj+embed_tokens",
    f"toy-qwen2,{SMALL},{KEPT},target_modules=embed_tokens",
    f"toy-qwen2,{SMALL},loss=fused,target_modules=q_proj+embed_tokens",
    f"toy-qwen2,{SMALL},{KEPT},loss=fused,target_modules=q_proj,modules_to_save=norm",
    f"toy-qwen2,{SMALL},{KEPT},target_modules=q_proj+embed_tokens,use_dora=true",
    f"toy-qwen3-moe,tokens=128,layers=4,{KEPT},lora_dropout=0.0,decoder_sparse_step=2,target_modules=gate_proj+up_proj",
)
"""What the grid leaves out: norms and a tied embedding that are trained whole, adapters on the embedding, and names of
experts beside dense layers."""


@pytest.mark.one_in(5)
@pytest.mark.parametrize("case", TRACES, ids=lambda case: case.text)
def test_the_closed_form_is_within_half_a_percent_of_the_trace(case):
    found = agreement(case, TRACES[case])
    assert abs(found.error) <= LIMIT, f"{found.closed:,} at {found.moment}, traced {found.traced:,} at {found.at}"


@pytest.mark.one_in(3)
@pytest.mark.parametrize("text", ELSEWHERE)
def test_what_the_grid_leaves_out_agrees_as_well(text):
    case = parse(text)
    found = agreement(case, trace_of(case))
    assert abs(found.error) <= MEDIAN, f"{found.closed:,} at {found.moment}, traced {found.traced:,} at {found.at}"


def test_the_closed_form_is_within_a_tenth_of_a_percent_in_the_median():
    assert median(abs(agreement(case, entry).error) for case, entry in TRACES.items()) <= MEDIAN
