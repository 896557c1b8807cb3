"""A trace means what it says: on real tensors, in its sums, and storage by storage."""

from __future__ import annotations

import gc

import pytest
import torch

from oracle.case import Case, parse
from oracle.record import stable, trace_of
from oracle.tracer import Trace

TINY = "tokens=64,layers=2,hidden_size=128,intermediate_size=256,num_attention_heads=4,num_key_value_heads=2"
REAL = (
    f"toy-qwen2,{TINY},method=full,autocast=false",
    f"toy-qwen2,{TINY},method=full,weights_dtype=float32,optim=adamw_bnb_8bit",
    f"toy-llama,{TINY},method=qlora,adapter_dtype=bfloat16,loss=fused",
    f"toy-llama,{TINY},method=qlora,weights_dtype=float32,batch=2,padding=20",
    f"toy-qwen2,{TINY},batch=2,packing=true,loss=fused,gradient_checkpointing=false",
    f"toy-qwen2,{TINY},modules_to_save=lm_head,gradient_accumulation=2,attention=eager",
    f"toy-qwen2,{TINY},method=qlora,use_dora=true",
    f"toy-qwen2,{TINY},method=qlora,quantization=int8",
    f"toy-qwen3-moe,{TINY},lora_dropout=0.0,head_dim=32",
)


@pytest.mark.one_in(4)
@pytest.mark.parametrize("text", REAL)
def test_real_tensors_make_the_same_trace(text):
    case = parse(text)
    assert stable(trace_of(case, real=True)) == stable(trace_of(case))


def test_weights_states_and_gradients_have_the_bytes_that_their_counts_mean():
    case = Case("toy-llama", "full", autocast=False)
    entry = trace_of(case)
    hidden, intermediate, layers, vocabulary = 512, 1408, 3, 512
    linear = 2 * hidden * hidden + 2 * hidden * hidden // 4 + 3 * hidden * intermediate
    parameters = layers * (linear + 2 * hidden) + hidden + 2 * vocabulary * hidden
    assert entry["static"]["inputs"] == 3 * 8 * case.tokens
    assert entry["trained"] == parameters
    assert entry["static"]["weights"] == 2 * parameters
    assert entry["static"]["states"] == 4 * parameters
    assert entry["gradients"] == 2 * parameters


def test_a_storage_is_counted_once_and_until_nothing_refers_to_it():
    with Trace({}) as trace:
        whole_one = torch.zeros(1000)
        view = whole_one[10:20]
        assert trace.live == 4000
        del whole_one
        gc.collect()
        assert trace.live == 4000
        double = view.double()
        assert trace.live == 4000 + 80
        del view, double
        assert trace.live == 0
    assert trace.peaks == {"start": (4080, 2)}
