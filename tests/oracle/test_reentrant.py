"""Int8 and checkpointing: what the real product holds between its forward and its backward pass."""

from __future__ import annotations

import weakref

import pytest

from oracle.case import parse
from oracle.record import recorded

TRACES = recorded()[1]
INT8 = "toy-qwen2,method=qlora,quantization=int8"
RE = ",use_reentrant=true"


@pytest.mark.parametrize("reentrant", [False, True])
def test_a_context_outlives_only_what_is_differentiated(reentrant):
    import bitsandbytes as bnb
    import torch
    from torch.utils.checkpoint import checkpoint

    module = bnb.nn.Linear8bitLt(64, 64, bias=False, has_fp16_weights=False)
    module.weight = bnb.nn.Int8Params(torch.randn(64, 64), requires_grad=False, has_fp16_weights=False).to("cpu")
    inputs = []

    def layer(x):
        x = x * 2  # what the product is given: not the layer's own input, which is kept in any case
        inputs.append(weakref.ref(x.untyped_storage()))
        return module(x)

    out = checkpoint(layer, torch.randn(4, 64, requires_grad=True), use_reentrant=reentrant)
    assert (inputs[0]() is None) == reentrant
    out.sum().backward()


def test_the_traces_say_so_too():
    lasting = {reentrant: TRACES[parse(INT8 + more)]["saved"] for reentrant, more in ((False, ""), (True, RE))}
    assert lasting[True] < 0.5 * lasting[False]
