"""Layers that read more than the residual stream: what others made, as a real step's trace has it."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from oracle.agreement import spec_of
from oracle.case import parse
from oracle.shapes import CONFIGS
from oracle.whole_step import peak
from recording.test_recorded_memory import closed

from hbspec.catalog import catalog
from hbspec.catalog.recorded import Recording
from hbspec.catalog.recorded_file import architecture_of
from hbspec.diagnostics import NotKnownError
from hbspec.estimators.step.job import job_of
from hbspec.plan import build_plan
from hbspec.spec import Spec

ROUTED = {
    "model_type": "zaya", "hidden_size": 128, "num_hidden_layers": 5, "num_attention_heads": 4,
    "num_key_value_heads": 2, "head_dim": 32, "num_experts": 4, "moe_intermediate_size": 64, "router_hidden_size": 64,
    "vocab_size": 512,
}  # fmt: skip
"""Each layer's router reads what the one before it made."""

BY_LAYER = {
    "model_type": "gemma4_text", "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 6,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32, "global_head_dim": 64, "vocab_size": 512,
    "hidden_size_per_layer_input": 64, "vocab_size_per_layer_input": 512, "num_kv_shared_layers": 0,
    "layer_types": ["sliding_attention", "full_attention"] * 3,
}  # fmt: skip
"""Each layer gets a slice of a table of its own, which is taken between the layers."""

BIAS = {
    "model_type": "cpmant", "hidden_size": 128, "num_attention_heads": 4, "dim_head": 32, "dim_ff": 256,
    "num_hidden_layers": 3, "vocab_size": 512, "prompt_length": 8, "prompt_types": 4, "segment_types": 4,
}  # fmt: skip
"""All layers add one bias, which is made of weights."""


@pytest.mark.one_in(6)
@pytest.mark.parametrize("values", [ROUTED, BY_LAYER], ids=["routed", "by layer"])
@pytest.mark.parametrize("text", ["full,tokens=300", "full,batch=2,tokens=200,gradient_checkpointing=false", "lora"])
def test_what_layers_exchange_is_as_its_trace(values, text, recorded_once, monkeypatch):
    monkeypatch.setitem(CONFIGS, "exchange", values)
    case = parse(f"exchange,method={text}")
    assert closed(case, architecture_of(recorded_once(values))) == pytest.approx(peak(case), rel=0.003)


@pytest.mark.long
def test_a_bias_that_all_layers_share_is_as_its_trace(recorded_once, monkeypatch):
    monkeypatch.setitem(CONFIGS, "bias", BIAS)
    case = parse("bias,attention=eager,method=full,batch=2,tokens=200,gradient_checkpointing=false")
    assert closed(case, architecture_of(recorded_once(BIAS))) == pytest.approx(peak(case), rel=0.006)


def test_a_reentrant_pass_of_what_layers_exchange_is_not_known(recorded_once, monkeypatch):
    """Such a pass hands gradients to what a layer is given by position alone."""
    monkeypatch.setitem(CONFIGS, "exchange", ROUTED)
    architecture = architecture_of(recorded_once(ROUTED))
    assert isinstance(architecture.recorded, Recording)
    assert architecture.recorded.exchanging
    spec = Spec.model_validate(spec_of(parse("exchange,method=full,tokens=300,use_reentrant=true")))
    with pytest.raises(NotKnownError, match="read of each other"):
        job_of(build_plan(spec, catalog(), architecture, None))


def test_what_is_done_to_the_data_of_a_weight_sends_it_no_gradient():
    """As Gemma 3n clamps the weight of a linear module."""
    import torch

    from hbspec.recording.watch import Watch

    weight, x = torch.nn.Parameter(torch.ones(3)), torch.ones(3, requires_grad=True) * 2
    watch = Watch({weight.untyped_storage()._cdata: "weight"}, lambda: "")
    with watch:
        watch.open("", x)
        weight.data.clamp_(-1, 1)
        part = watch.close(x * weight)
    assert [(one.name, one.inputs, one.differentiated) for one in part.operators] == [
        ("detach", [None], False),
        ("clamp_", [1], False),
        ("mul.Tensor", [0, "weight"], True),
    ]
