from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest

from hbspec.diagnostics import NotKnownError
from hbspec.estimators.step.optimizer import OPTIMIZERS, PAGED_NUMBERS, optimizer

N = 4096 * 100


@pytest.mark.parametrize(
    ("name", "parameter_bytes", "per_parameter"),
    [
        ("adamw_torch", 2, 4),
        ("adamw_torch", 4, 8),
        ("adamw_torch_fused", 4, 8),
        ("paged_adamw_32bit", 2, 8),
        ("paged_adamw_8bit", 2, 2 + 8 / 256),
        ("adamw_bnb_8bit", 4, 2 + 8 / 256),
        ("lion_32bit", 2, 4),
        ("sgd", 4, 0),
    ],
)
def test_states(name, parameter_bytes, per_parameter):
    found = optimizer(name).state_bytes(N, parameter_bytes, adapters=True)
    assert isinstance(found, int)
    assert found == N * per_parameter


def test_foreach_adamw_holds_a_root_of_every_moment():
    assert optimizer("adamw_torch").temporary_bytes(N, 2) == 2 * N
    assert optimizer("adamw_torch_fused").temporary_bytes(N, 2) == 0


def test_adafactor_keeps_a_fraction():
    full, adapters = (optimizer("adafactor").state_bytes(N, 4, adapters=kind) for kind in (False, True))
    assert full < adapters < optimizer("adamw_torch").state_bytes(N, 4, adapters=True) / 10


def test_unknown_optimizer_is_named():
    with pytest.raises(NotKnownError, match="galore_adamw"):
        optimizer("galore_adamw")


def test_names_are_those_of_transformers():
    package = find_spec("transformers")  # read, not imported: that would import torch
    tree = ast.parse(Path(package.origin).with_name("training_args.py").read_text())
    names = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "OptimizerNames")
    known = {line.value.value for line in names.body if isinstance(line, ast.Assign)}
    assert "adamw_torch" in known
    assert set(OPTIMIZERS) <= known


@pytest.mark.parametrize(
    ("name", "of_a_parameter"),
    [
        ("paged_adamw_32bit", 8),
        ("paged_adamw_8bit", 2),
        ("paged_lion_32bit", 4),
        ("paged_lion_8bit", 1),
        ("adamw_bnb_8bit", 0),
        ("adamw_torch", 0),
    ],
)
def test_paged_states(name, of_a_parameter):
    assert optimizer(name).paged_bytes(N) == N * of_a_parameter


def test_every_paged_optimizer_pages():
    assert {name for name, one in OPTIMIZERS.items() if one.paged} == {name for name in OPTIMIZERS if "paged" in name}


@pytest.mark.parametrize(("numbers", "pages"), [(PAGED_NUMBERS - 1, False), (PAGED_NUMBERS, True)])
def test_bitsandbytes_pages_large_tensors(monkeypatch, numbers, pages):
    import bitsandbytes as bnb
    import torch

    paged = []
    monkeypatch.setattr(bnb.functional, "get_paged", lambda *shape, **_: paged.append(shape) or torch.empty(shape))
    monkeypatch.setattr(bnb.functional, "fill", lambda *_: None)
    made = bnb.optim.PagedAdamW32bit([torch.nn.Parameter(torch.zeros(1))])
    parameter = torch.zeros(numbers, device="meta")  # not on a CPU, which pages nothing
    made.get_state_buffer(parameter)
    assert bool(paged) == pages
