"""What a recording runs once and writes down again: calls of operators, and modules that are alike in their layers."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("torch")

import torch
from recording.test_recorded_loops import DELTA
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from hbspec.recording import modules_alike
from hbspec.recording.build import build, shorten
from hbspec.recording.forward import Point, WatchedPass
from hbspec.recording.known_calls import KnownCalls
from hbspec.recording.record import REGIMES
from hbspec.recording.sizes import _Solver

APART = {**DELTA, "mlp_only_layers": [0], "num_hidden_layers": 3, "layer_types": DELTA["layer_types"][1:]}
"""The first layer has the linear attention of the second, and no experts behind it."""

CALLS = {
    "a result": lambda x: x * 2,
    "an integer is not a float": lambda x: (x.to(torch.int64) * 1, x.to(torch.int64) * 1.0),
    "a view": lambda x: x.transpose(0, 1)[1:],
    "several views": lambda x: x.split(2),
    "several results": lambda x: x.topk(2),
    "a write": lambda x: x.clone().mul_(3),
    "a write into a part": lambda x: x.clone()[1].copy_(x[0]),
    "another layout": lambda x: x.clone().t_(),
    "a wider result": lambda x: x.sum(0, dtype=torch.float64),
    "complex numbers": lambda x: torch.view_as_real(torch.complex(x * 2, x).conj().resolve_conj()),
}


class _Known(TorchDispatchMode):
    """Runs everything through known calls, and counts those that were known."""

    def __init__(self, calls):
        super().__init__()
        self.calls, self.known = calls, 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out, _, call = self.calls.run(func, args, kwargs or {})
        self.known += call is not None
        return out


def laid_out(out, x):
    """All that is to be the same."""
    return [
        (type(one), one.device, one.dtype, one.shape, one.stride(), one.storage_offset(),
         one.untyped_storage().nbytes(), one.untyped_storage()._cdata == x.untyped_storage()._cdata)
        for one in (out if isinstance(out, tuple | list) else [out])
    ]  # fmt: skip


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_is_known_is_as_a_fake_makes_it(call):
    mode = FakeTensorMode()
    with mode:
        x = torch.empty(6, 4)
        plain = laid_out(call(x), x)
        with _Known(KnownCalls(mode)) as known:
            first, again = (laid_out(call(x), x) for _ in range(2))
    assert first == again == plain
    assert known.known


def test_a_layout_that_is_not_the_same_is_run():
    mode = FakeTensorMode()
    with mode, _Known(KnownCalls(mode)) as known:
        x = torch.empty(4, 4)
        assert (x * 2).stride() == (4, 1)
        assert (x.t() * 2).stride() == (1, 4)
        assert (x.to(torch.float64) * 2).dtype == torch.float64
        assert not known.known


def test_what_depends_on_data_is_refused_each_time():
    mode = FakeTensorMode()
    with mode, _Known(KnownCalls(mode)):
        x = torch.empty(1)
        for _ in range(2):
            with pytest.raises(DataDependentOutputException):
                x.item()


def watched(masked):
    """All parts of a pass, without what differs from one pass to the next: the operators' functions."""
    fake = FakeTensorMode(allow_non_fake_inputs=True)
    built = build(APART, torch.bfloat16)
    shorten(built, fake)
    parts = WatchedPass(built, KnownCalls(fake), REGIMES[0]).run(Point(2, 70, masked))
    return {
        name: replace(part, operators=[replace(one, function=None) for one in part.operators])
        for name, part in parts.items()
    }


@pytest.mark.one_in(2)
@pytest.mark.parametrize("masked", [False, True])
def test_modules_that_are_written_down_again_are_as_if_they_were_watched(masked, monkeypatch):
    ran = []
    plain = modules_alike.ModulesAlike._again
    monkeypatch.setattr(modules_alike.ModulesAlike, "_again", lambda *given: ran.append(1) or plain(*given))
    found, again = [], []
    for fewest in (1, 100, 10**9):
        monkeypatch.setattr(modules_alike, "FEWEST_OPERATORS", fewest)
        found.append(watched(masked))
        again.append(len(ran))
    assert 0 < again[1] - again[0] < again[0]
    assert again[2] == again[1]
    assert found[0] == found[1] == found[2]


def test_a_system_is_solved_for_whole_numbers_only():
    solver = _Solver([[1, 2], [1, 3], [1, 5]])
    assert solver.solve([7, 9, 13]) == [3, 2]
    assert solver.solve([7, 9, 14]) is None
    assert _Solver([[2, 0], [0, 2], [2, 2]]).solve([1, 1, 2]) is None
    assert _Solver([[1, 1], [2, 2], [3, 3]]).solve([1, 2, 3]) is None
