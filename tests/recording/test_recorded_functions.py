"""Functions with derivatives of their own: what they save, and their ways back, as a real step's trace has them."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from oracle.case import parse
from oracle.shapes import CONFIGS
from oracle.whole_step import peak
from recording.test_recorded_memory import closed

from hbspec.catalog.recorded_file import architecture_of

BLOOM = {"model_type": "bloom", "hidden_size": 128, "n_layer": 3, "n_head": 4, "vocab_size": 512}


@pytest.mark.parametrize("text", ["method=full,tokens=300", "method=full,tokens=300,gradient_checkpointing=false"])
def test_a_function_with_a_derivative_of_its_own_is_as_its_trace(text, recorded_file, monkeypatch):
    """BLOOM's GELU saves its input, and computes its gradient by itself."""
    monkeypatch.setitem(CONFIGS, "bloom", BLOOM)
    case = parse(f"bloom,attention=eager,{text}")
    assert closed(case, architecture_of(recorded_file(BLOOM))) == pytest.approx(peak(case), rel=0.001)


def test_what_a_function_keeps_on_its_context_is_refused():
    """Checkpointing does not see it, so that every layer would hold it."""
    import torch

    from hbspec.recording.probe import run_back
    from hbspec.recording.program import RecordingError

    class Keeps(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.x = x
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            return gradient * 2

    out = Keeps.apply(torch.ones(2, requires_grad=True))
    with pytest.raises(RecordingError, match="on its context"):
        run_back(out.grad_fn, [torch.ones(2)])
