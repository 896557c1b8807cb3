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


@pytest.mark.long
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


def test_a_write_into_a_part_makes_the_whole():
    """The gradient of what was written goes through a copy of the whole tensor's (`CopySlices`)."""
    import torch

    from hbspec.recording.probe import Probe
    from hbspec.recording.program import Meta
    from hbspec.recording.watch import Watch

    watch = Watch({}, lambda: "")
    x = torch.ones(1, 3, requires_grad=True) * 2
    with watch:
        watch.open("", x)
        whole = torch.zeros(4, 3)
        whole[1:2] = x
        part = watch.close(whole * 2)
    (write,) = (operator for operator in part.operators if operator.name == "copy_")
    assert part.operators[-1].inputs == write.outputs
    assert part.values[write.outputs[0]].differentiable
    way = Probe().way(write, [False, True], [Meta((4, 3), (3, 1), torch.float32)])
    assert way.made[0] == whole.numel() * 4
    assert [one is not None for one in way.gradients] == [False, True]


def test_a_part_that_is_read_after_a_write_into_it_is_refused():
    import torch

    from hbspec.recording.program import RecordingError
    from hbspec.recording.watch import Watch

    watch = Watch({}, lambda: "")
    x = torch.ones(1, 3, requires_grad=True) * 2
    with watch:
        watch.open("", x)
        part = torch.zeros(4, 3)[1:2]
        part.copy_(x)
        with pytest.raises(RecordingError, match="needs a gradient"):
            part * 2
