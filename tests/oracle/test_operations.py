"""The closed form's floating-point operations against those that the traces counted."""

from __future__ import annotations

from statistics import median

import pytest

from oracle.case import parse
from oracle.operations import LIMIT, MEDIAN, operations
from oracle.record import recorded, trace_of

TRACES = recorded()[1]

SMALL = "tokens=128,layers=2"
KEPT = "gradient_checkpointing=false"
ELSEWHERE = (
    f"toy-qwen2,{SMALL},{KEPT},target_modules=v_proj",
    f"toy-qwen2,{SMALL},{KEPT},target_modules=o_proj,attention=eager",
    f"toy-qwen2,{SMALL},{KEPT},target_modules=k_proj+v_proj,attention=eager",
    f"toy-qwen2,{SMALL},{KEPT},target_modules=down_proj",
    f"toy-qwen2,{SMALL},{KEPT},target_modules=lm_head",
    f"toy-qwen2,{SMALL},{KEPT},target_modules=q_proj+embed_tokens",
    f"toy-qwen2,{SMALL},{KEPT},target_modules=q_proj,modules_to_save=input_layernorm",
    f"toy-qwen2,{SMALL},target_modules=q_proj,modules_to_save=down_proj",
    f"toy-qwen2,{SMALL},{KEPT},use_dora=true,lora_dropout=0.0",
    f"toy-qwen2,{SMALL},{KEPT},method=qlora,quantization=int8,target_modules=q_proj+v_proj",
    f"toy-gemma2,{SMALL},{KEPT},use_dora=true,attention=eager",
    "toy-gemma3,tokens=256,layers=7,sliding_window=128",
    f"toy-mixtral,{SMALL},{KEPT},lora_dropout=0.0,target_modules=gate",
    f"toy-mixtral,{SMALL},{KEPT},lora_dropout=0.0,target_modules=w2",
    f"toy-qwen3-moe,{SMALL},lora_dropout=0.0,decoder_sparse_step=2",
    f"toy-qwen3-moe,{SMALL},{KEPT},lora_dropout=0.0,decoder_sparse_step=2,target_modules=gate_proj+up_proj",
    f"toy-llama4,{SMALL},interleave_moe_layer_step=2,target_modules=q_proj+down_proj",
    f"toy-gpt-oss,{SMALL},{KEPT},target_modules=q_proj+v_proj,attention=eager",
    f"toy-qwen2,{SMALL},{KEPT},target_modules=q_proj+embed_tokens,use_dora=true",
    f"toy-qwen2,{SMALL},{KEPT},target_modules=q_proj+lm_head,use_dora=true",
    f"toy-qwen3,{SMALL},{KEPT},target_modules=o_proj,modules_to_save=q_norm",
    f"toy-qwen3-moe,tokens=128,layers=4,{KEPT},lora_dropout=0.0,decoder_sparse_step=2,target_modules=gate_proj+up_proj",
)
"""What the grid leaves out: gradients that nothing before needs, layers that differ, and adapters in odd places."""


@pytest.mark.one_in(5)
@pytest.mark.parametrize("case", TRACES, ids=lambda case: case.text)
def test_every_pass_is_within_one_percent_of_the_trace(case):
    found = operations(case, TRACES[case])
    assert found.worst <= LIMIT, found.errors


def test_the_total_is_within_a_tenth_of_a_percent_in_the_median():
    assert median(abs(operations(case, entry).error) for case, entry in TRACES.items()) <= MEDIAN


@pytest.mark.one_in(4)
@pytest.mark.parametrize("text", ELSEWHERE)
def test_what_the_grid_leaves_out_is_counted_as_well(text):
    case = parse(text)
    found = operations(case, trace_of(case))
    assert found.worst <= MEDIAN, found.errors
